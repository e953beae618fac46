import { expect, test } from "vitest";
import type { WorkView } from "./api";
import { canBeAsked, canBePassed, customerOf, customersFor, othersToo, participants } from "./consult";

const work = (interaction: string, more: Partial<WorkView> = {}) =>
  ({ interaction, service: { id: "s", name: "Help" }, channel: "voice", direction: "inbound", phase: "held", outgoing: false, passed_by: null, consults: null, conference: null, flow: null, written: null, ...more }) as WorkView;
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

/** XFER-09: whoever else was called may come into the same call; XFER-14: a guest of a conference may ask and bring somebody in, but has no customer to pass on. */
test("all whom the agent called may come in at once", () => {
  const customer = work("a");
  const second = work("d", { direction: "outbound", outgoing: true, consults: "a" });
  const all = [customer, asked, second];
  expect(othersToo(asked, customer, all)).toEqual([second]);
  expect(othersToo(asked, customer, [customer, asked])).toEqual([]);
  const guest = work("g", { service: null, direction: "internal", conference: { organiser: false, parties: [] } });
  expect([canBeAsked(guest), canBePassed(guest)]).toEqual([true, false]);
  expect(customersFor({ ...asked, consults: "g" }, [guest, asked])).toEqual([guest]);
});

/** XFER-15: a past conference lists all its participants, each once. */
test("a record says who was in a conference", () => {
  const guest = { agent: "user_2", agent_name: "Cleo", number: "1003", by_name: "Anna", joined_at: 0, left_at: 1 };
  const outside = { ...guest, agent: null, agent_name: null, number: "+4930555" };
  const record = { guests: [guest, outside], agent_name: "Cleo", caller: "+4930123", caller_name: "Erika", contact: "100", direction: "inbound", parts: [{ agent_name: "Anna" }] } as unknown as Parameters<typeof participants>[0];
  expect(participants(record)).toMatch(/^Erika, Anna, Cleo, \+49/);
  expect(participants({ ...record, guests: [] })).toBe("");
});
