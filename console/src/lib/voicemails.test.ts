import { expect, test } from "vitest";
import { badge, canBeCalled, canBeErased, listed, OWN } from "./voicemails";

test("a badge is short, and is not there where nothing waits", () => {
  expect([0, 1, 99, 100, 4_711].map(badge)).toEqual(["", "1", "99", "99+", "99+"]);
});

test("only a number can be called", () => {
  expect(["+4930123", "110", "anonymous", "", "+"].map((caller) => canBeCalled({ caller }))).toEqual([true, true, false, false, false]);
});

test("VM-11: what was left for the own extension is its owner's to erase, the rest whoever's who may", () => {
  const own = { service: null, state: "ready" };
  const shared = { service: "service_1", state: "ready" };
  expect([canBeErased(own, false), canBeErased(shared, false), canBeErased(shared, true)]).toEqual([true, false, true]);
  expect(canBeErased({ ...own, state: "finishing" }, true)).toBe(false);
});

test("all messages are asked for, those of a service, or the own ones", () => {
  expect(listed({ of: "", unheard: true }).toString()).toBe("limit=50&unheard=true");
  expect(listed({ of: "service_1", unheard: false }).get("service")).toBe("service_1");
  expect(listed({ of: OWN, unheard: false }).get("own")).toBe("true");
});
