import { expect, test } from "vitest";
import { type DryRun, effects } from "./effects";
import { en } from "./words/en";
import { ru } from "./words/ru";

const nothing: DryRun = { queues: [], nobody_meets: [], agents: [], agents_total: 0, waiting: [], waiting_total: 0, waiting_cut: false, led_nowhere: [], times: [], carried: [] };
const support = { id: "service_1", name: "Support" };
const agent = (name: string, loses: string[], gains: string[] = []) => ({ agent: { id: name, name }, loses, gains });

test("a change that takes nothing away needs no second look", () => {
  expect(effects(nothing, en)).toEqual([]);
  expect(effects({ ...nothing, queues: [{ service: support, before: 1, after: 2 }], agents: [agent("Ben", [], ["Support"])], agents_total: 1 }, en)).toEqual([]);
});

test("a queue without agents comes first, then who loses what", () => {
  const run: DryRun = {
    ...nothing,
    queues: [{ service: support, before: 1, after: 0 }],
    nobody_meets: [{ service: support, step: 1, asks_for: "German" }],
    agents: [agent("Anna", ["Support"])],
    agents_total: 1,
    waiting: [{ interaction: "a", service: support, before: 1, after: 0 }],
    waiting_total: 3,
  };
  expect(effects(run, en)).toEqual([
    "Callers who wait now and could be answered by nobody: 1.",
    "Nobody could answer Support any more (now: 1).",
    "Nobody would meet step 1 of Support: German.",
    "Anna could no longer answer: Support.",
    "Further callers who wait now would have fewer agents: 2.",
  ]);
  expect(effects(run, ru)).toHaveLength(5);
});

test("what leads to something that goes is named, and many agents are counted", () => {
  const run: DryRun = {
    ...nothing,
    queues: [{ service: support, before: 9, after: 2 }],
    agents: Array.from({ length: 7 }, (_, n) => agent(`A${n}`, ["Support"])),
    agents_total: 7,
    led_nowhere: [
      { from: { kind: "flow", name: "Main" }, to: { kind: "service", name: "Support" }, renamed: true },
      { from: { kind: "number", name: "300" }, to: { kind: "flow", name: "Main" }, renamed: false },
    ],
  };
  const said = effects(run, en);
  expect(said[0]).toBe("The flow Main knows the service Support by this name only: its callers would go to their services at once until it is changed.");
  expect(said[1]).toBe("The number 300 leads to the flow Main, which would be gone.");
  expect(said).toContain("Support: 2 agents could answer, now 9.");
  expect(said).toContain("And 2 more agents lose services.");
  expect(effects(run, ru).every((line) => !line.includes("{"))).toBe(true);
});

test("a time is said when somebody waits on by the old one, and what agents could carry no more", () => {
  const time = { of: "Support", step: null, before_ms: null, after_ms: 90_000 };
  const run: DryRun = {
    ...nothing,
    times: [
      { ...time, what: "longest_wait", kept_by: 3 },
      { ...time, what: "ring_time", kept_by: 0 },
      { ...time, what: "step", step: 2, kept_by: 1 },
    ],
    carried: [{ channel: "chat", fewer: 4, none: 1 }],
  };
  expect(effects(run, en)).toEqual([
    "Agents who could not have chats any more: 1.",
    "Agents who could have fewer chats at once: 3.",
    "Support, longest wait: 1:30 instead of no limit. Those who wait now keep the old time: 3.",
    "Support, time of step 2: 1:30 instead of no limit. Those who wait now keep the old time: 1.",
  ]);
  expect(effects(run, ru)).toHaveLength(4);
});
