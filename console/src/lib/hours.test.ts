import { expect, test } from "vitest";
import { lines, specialOf, specialText } from "./hours";

/** ROUTE-07: hours are typed a line each, and come back as they were. */
test("what is typed line by line is what is meant", () => {
  expect(lines(" mon-fri 09:00-17:30 \n\nsat 10:00-14:00\n")).toEqual(["mon-fri 09:00-17:30", "sat 10:00-14:00"]);
  const special = { "2026-12-24": "09:00-12:00, 13:00-14:00", "2026-12-31": "closed" };
  expect(specialOf(specialText(special))).toEqual(special);
  // The appliance says what is wrong with it.
  expect(specialOf("2026-12-24")).toEqual({ "2026-12-24": "" });
});
