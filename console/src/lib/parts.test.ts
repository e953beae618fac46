import { expect, test } from "vitest";
import { partsOf } from "./parts";

const part = { agent: "user_1", agent_name: "Anna", service_name: "Help", answered_at: 1_000, ended_at: 41_000, to: "agent" as const, to_name: "Cleo", disposition: null, disposition_name: "Solved", comment: "invoice", completed_at: null };
const record = { parts: [part], agent: "user_2", agent_name: "Cleo", service_name: "Billing", talking_since: 50_000, ended_at: 70_000, disposition_name: null, comment: "" };

/** XFER-05: each agent has a talk time of their own. */
test("a record has the parts of all who talked to the customer", () => {
  const parts = partsOf(record);
  expect(parts.map((p) => [p.agent, p.time, p.next, p.coded])).toEqual([["Anna", 40_000, "Cleo", "Solved · invoice"], ["Cleo", 20_000, "", ""]]);
  expect(partsOf({ ...record, agent: null, agent_name: null })).toHaveLength(1);
  expect(partsOf({ ...record, talking_since: null })[1]).toMatchObject({ from: null, time: null });
});
