import { expect, test } from "vitest";
import type { ColleagueItem, QueueView } from "./api";
import { nextWay, numberOf, serviceRows, ways, whoToAsk, whyNotTo } from "./transfer";
import { en } from "./words/en";
import { ru } from "./words/ru";

const queue = (name: string, more: Partial<QueueView>) => ({ service: { id: name, name }, open: true, emergency: false, waiting: 0, ready_agents: 0, agents: 0, ...more }) as QueueView;
const colleague = (more: Partial<ColleagueItem>): ColleagueItem => ({ user: "user_1", name: "Ben", extension: "202", state: "ready", presence: "available", callable: true, mobile: null, ...more });

/** XFER-06: how many are free is seen beforehand, those with somebody free first, and why a service takes nobody. */
test("services say how many agents are free", () => {
  const rows = serviceRows([queue("Claims", { agents: 2, waiting: 3 }), queue("Night", { open: false }), queue("Sales", { ready_agents: 1, agents: 4 }), queue("Empty", {})], en);
  expect(rows.map((r) => r.name)).toEqual(["Sales", "Claims", "Empty", "Night"]);
  expect(rows[0]).toMatchObject({ about: "1 of 4 free, 0 waiting", why: "" });
  expect(rows[1]).toMatchObject({ about: "0 of 2 free, 3 waiting", why: "" });
  expect(rows[2]?.why).toBe(en.transfer.unstaffed);
  expect(rows[3]?.why).toBe(en.transfer.closed);
  expect(serviceRows([queue("Sales", { ready_agents: 1, agents: 4 })], ru)[0]?.about).toContain("1");
});

/** XFER-07: busy colleagues can be chosen, those whose phone rings or who are away from the floor cannot, and it says why. */
test("a colleague who cannot be reached says why", () => {
  expect(whyNotTo(colleague({ state: "busy" }), en)).toBe("");
  expect(whyNotTo(colleague({ state: "offline", callable: false }), en)).toBe("Ben is offline.");
  expect(whyNotTo(colleague({ state: "ringing", callable: false }), en)).toContain(en.transfer.notNow);
});

test("a number is a number without keys", () => {
  expect(numberOf(" +49 30 123456 ")).toBe("+49 30 123456");
  expect(numberOf("123456,,1")).toBeNull();
  expect(numberOf("Ben")).toBeNull();
});

test("arrow keys walk through the ways and around", () => {
  expect([nextWay("service", "ArrowLeft", ways), nextWay("service", "ArrowRight", ways), nextWay("agent", "End", ways), nextWay("number", "Home", ways), nextWay("agent", "a", ways)]).toEqual(["number", "agent", "number", "service", null]);
  expect([nextWay("agent", "ArrowLeft", whoToAsk), nextWay("number", "Home", whoToAsk)]).toEqual(["number", "agent"]);
});
