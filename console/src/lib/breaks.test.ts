import { describe, expect, test } from "vitest";
import { breakTime } from "./breaks";

const minutes = (n: number) => n * 60_000;

/** STATE-14: break time used and left. */
describe("break time", () => {
  test("what is over and what lasts add up, and the rest is left", () => {
    const breaks = { used_ms: minutes(10), since: minutes(100), allowance_ms: minutes(45) };
    expect(breakTime(breaks, minutes(105))).toEqual({ used: minutes(15), left: minutes(30), over: 0, part: 15 / 45 });
  });
  test("what is too long is told apart", () => {
    const breaks = { used_ms: minutes(50), since: null, allowance_ms: minutes(45) };
    expect(breakTime(breaks, minutes(1_000))).toEqual({ used: minutes(50), left: 0, over: minutes(5), part: 1 });
  });
  test("without an allowance nothing is left or over", () => {
    expect(breakTime({ used_ms: 0, since: minutes(1), allowance_ms: null }, minutes(3))).toEqual({ used: minutes(2), left: null, over: 0, part: 0 });
  });
  test("a clock that is behind takes nothing away", () => {
    expect(breakTime({ used_ms: 5, since: 1_000, allowance_ms: null }, 400).used).toBe(5);
  });
});
