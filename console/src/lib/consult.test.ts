import { expect, test } from "vitest";
import type { WorkView } from "./api";
import { canBeAsked, customerOf, customersFor } from "./consult";

const work = (interaction: string, more: Partial<WorkView> = {}) =>
  ({ interaction, service: { id: "s", name: "Help" }, channel: "voice", direction: "inbound", phase: "held", outgoing: false, passed_by: null, consults: null, flow: null, written: null, ...more }) as WorkView;
const asked = work("c", { service: null, direction: "internal", phase: "talking", outgoing: true, consults: "b" });

/** XFER-04: of several held customers the one that is asked about comes first, and another one may be chosen. */
test("the agent may say whose call it is", () => {
  const all = [work("a"), work("b"), asked];
  expect(customersFor(asked, all).map((w) => w.interaction)).toEqual(["b", "a"]);
  expect(customerOf(asked, all, "")?.interaction).toBe("b");
  expect(customerOf(asked, all, "a")?.interaction).toBe("a");
  expect(customerOf(asked, [work("a"), asked], "b")?.interaction).toBe("a");
  expect(customerOf(asked, [asked], "")).toBeNull();
});

/** XFER-11: nobody is brought together who was not called for that: no second customer, no colleague who called. */
test("only whom the agent called is brought to a customer", () => {
  const all = [work("a"), work("b")];
  expect(customersFor(work("b"), all)).toEqual([]);
  expect(customersFor(work("c", { service: null, direction: "internal", phase: "talking" }), all)).toEqual([]);
  expect(customersFor(work("c", { direction: "outbound", outgoing: true, passed_by: "Ben" }), all)).toEqual([]);
  expect(customersFor({ ...asked, phase: "dialling" }, all)).toEqual([]);
  expect(customersFor(work("c", { direction: "outbound", outgoing: true }), all)).toHaveLength(2);
});

test("a customer who goes through a flow, or is gone, is not asked about", () => {
  expect(canBeAsked(work("a"))).toBe(true);
  expect(canBeAsked(work("a", { flow: { flow: "f", name: "Pay", way: [], secret: false, since: 0 } }))).toBe(false);
  expect(canBeAsked(work("a", { phase: "wrap_up" }))).toBe(false);
  expect(canBeAsked(work("a", { service: null }))).toBe(false);
});
