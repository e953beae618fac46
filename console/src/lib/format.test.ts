import { expect, test } from "vitest";
import { clock, grade, initials, phoneNumber, milliseconds } from "./format";

test("timers show minutes, and hours when there are any", () => {
  expect([clock(7_400), clock(725_000), clock(3_723_000), clock(-5)]).toEqual(["0:07", "12:05", "1:02:03", "0:00"]);
});

test("international numbers are grouped as in their country, anything else is left as it came", () => {
  expect(phoneNumber("+493012345678")).toBe("+49 30 12345678");
  expect(phoneNumber("+74951234567")).toBe("+7 495 123 45 67");
  expect(phoneNumber("101")).toBe("101");
  expect(phoneNumber("anonymous")).toBe("anonymous");
  expect(phoneNumber("<script>")).toBe("<script>");
});

test("initials take the first and the last name", () => {
  expect([initials("Anna Maria Berg"), initials("Олег"), initials("  ")]).toEqual(["AB", "О", ""]);
});

test("quality has three words", () => {
  expect([grade(4.3), grade(3.6), grade(2), grade(null)]).toEqual(["good", "fair", "poor", "unknown"]);
});

test("a place in a recording is read as people type it", () => {
  expect(["75", "1:15", "1:02:03", "0:00.5", "2:30,25"].map(milliseconds)).toEqual([75_000, 75_000, 3_723_000, 500, 150_250]);
  expect(["", "a", "1:", "-1", "1:2:3:4", "1.5:10"].map(milliseconds)).toEqual([null, null, null, null, null, null]);
});
