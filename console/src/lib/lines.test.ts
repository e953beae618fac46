import { expect, test } from "vitest";
import { fromLines, toLines } from "./lines";

test("entries come a line each, or as somebody pastes them, once each", () => {
  expect(fromLines(" +870\n+878, +881;+870\n\n")).toEqual(["+870", "+878", "+881"]);
  expect(fromLines("  \n ")).toEqual([]);
  expect(toLines(["+870", "00"])).toBe("+870\n00");
});
