import { expect, test } from "vitest";
import type { ServiceRecord } from "./api";
import { durationOf, timeOf } from "./records";

const record = (fields: Partial<ServiceRecord>) =>
  ({ direction: "inbound", arrived_at: 1_000, answered_at: null, ended_at: null, ...fields }) as ServiceRecord;

/** REC-03 */
test("an inbound call is listed by the start of its conversation, an outbound one by the start of dialling", () => {
  expect(timeOf(record({ answered_at: 9_000 }))).toBe(9_000);
  expect(timeOf(record({ answered_at: 9_000, direction: "outbound" }))).toBe(1_000);
  expect(timeOf(record({}))).toBe(1_000);
});

/** REC-04 */
test("duration runs from arrival to hang-up, waiting included", () => {
  expect(durationOf(record({ answered_at: 9_000, ended_at: 21_000 }))).toBe(20_000);
  expect(durationOf(record({ answered_at: 9_000 }))).toBe(0);
});
