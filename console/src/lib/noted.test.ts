import { expect, test } from "vitest";
import { asWords, notedValues } from "./noted";

/** ROUTE-07: what was entered is shown with words, not with the flow's names. */
test("names become words", () => {
  expect(["how-friendly", "solved_at_once", "-"].map(asWords)).toEqual(["How friendly", "Solved at once", "-"]);
  const shown = notedValues({ account_number: "4711", topic: "card", _: "1" });
  expect(shown.map((v) => [v.label, v.value])).toEqual([
    ["Account number", "4711"],
    ["Topic", "card"],
    ["_", "1"],
  ]);
});
