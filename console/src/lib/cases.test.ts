import { expect, test } from "vitest";
import { filled, late, query, range, turns, usual } from "./cases";

test("the bar of a row fills until the service level is over (MAIL-09)", () => {
  const row = { since: 1_000, due: 21_000 };
  expect([0, 1_000, 6_000, 21_000, 90_000].map((now) => filled(row, now))).toEqual([0, 0, 0.25, 1, 1]);
  expect(filled({ since: 1_000, due: 1_000 }, 1_000)).toBe(1);
  expect([late({ count: 0, due: null }, 9), late({ count: 1, due: 10 }, 9), late({ count: 1, due: 10 }, 10)]).toEqual([false, false, true]);
});

test("a list is read a hundred rows at a time (MAIL-14)", () => {
  const rows = (n: number) => Array(n).fill(null);
  expect(range({ items: rows(0), offset: 0 })).toBeNull();
  expect(range({ items: rows(30), offset: 100 })).toEqual({ from: 101, to: 130 });
  expect(turns({ offset: 0, listed: 100 })).toEqual({ back: null, on: null });
  expect(turns({ offset: 100, listed: 230 })).toEqual({ back: 0, on: 200 });
  expect(query({ ...usual(), service: "service_1" })).toBe("/written?queue=group&sort=due&descending=false&offset=0&service=service_1");
});
