import { expect, test } from "vitest";
import { badge, canBeCalled } from "./voicemails";

test("a badge is short, and is not there where nothing waits", () => {
  expect([0, 1, 99, 100, 4_711].map(badge)).toEqual(["", "1", "99", "99+", "99+"]);
});

test("only a number can be called", () => {
  expect(["+4930123", "110", "anonymous", "", "+"].map((caller) => canBeCalled({ caller }))).toEqual([true, true, false, false, false]);
});
