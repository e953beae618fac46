import { expect, test } from "vitest";
import { canBeBlocked, endOf } from "./blocks";

test("an entry lasts as long as was chosen", () => {
  expect(endOf("ever", 5)).toBeNull();
  expect(endOf("week", 5.7)).toBe(5 + 7 * 86_400_000);
});

/** VOICE-16: a caller with a number can be blocked from the call or its record. */
test("callers from outside who show a number can be blocked", () => {
  expect(canBeBlocked({ direction: "inbound", caller: "+4930123456" })).toBe(true);
  for (const of of [{ direction: "inbound", caller: "anonymous" }, { direction: "outbound", caller: "+4930123456" }, { direction: "internal", caller: "1001" }])
    expect(canBeBlocked(of)).toBe(false);
});
