import { expect, test } from "vitest";
import type { CallRow, Explanation } from "./api";
import { grounds, sentences, toBeCalledBack, waitingFor } from "./waiting";
import { en } from "./words/en";
import { ru } from "./words/ru";

const named = (name: string) => ({ id: `user_${name}`, name });
const why = (n: number, position: number, service = "service_1"): Explanation => ({
  interaction: `interaction_${n}`, at: 100_000, service: { id: service, name: "Help" }, stage: "waiting", waiting_since: n, priority: 0,
  position, expected_wait_s: 60, step: 1, steps: 2, asks_for: "german >= 7", next: { at: 130_000, asks_for: "any" }, fitting: 3, online: 2,
  hopeless: false,
  agents: [
    { agent: named("Cleo"), verdict: "unskilled", until: null },
    { agent: named("Anna"), verdict: "not_ready", until: null },
    { agent: named("Ben"), verdict: "no_room", until: null },
  ],
  advice: [
    { kind: "not_ready", agents: 5, who: [named("Anna")], asked: null, instead: null, at: null, text: "" },
    { kind: "lower_level", agents: 1, who: [named("Cleo")], asked: "german >= 7", instead: "german >= 3", at: null, text: "" },
    { kind: "next_step", agents: 4, who: [], asked: null, instead: null, at: 130_000, text: "" },
  ],
});

/** ROUTE-09: those of one service in the order of the line, by the names that calls have. */
test("the line of a service, with its callers", () => {
  const call = { interaction: "interaction_1", caller: "+4930555", caller_name: "Mrs Smith" } as CallRow;
  const line = waitingFor("service_1", [why(2, 1), why(3, 0, "service_2"), why(1, 0)], [call]);
  expect(line.map((one) => one.caller)).toEqual(["Mrs Smith", "interaction_2"]);
  expect(waitingFor(null, [why(2, 1), why(3, 0, "service_2")], [])).toHaveLength(2);
});

/** ROUTE-09: who is nearest to taking the caller comes first; who does not fit is not listed. */
test("agents stand by what is between them and the caller", () => {
  expect(grounds(why(1, 0))).toEqual([["no_room", ["Ben"]], ["not_ready", ["Anna"]]]);
});

/** ROUTE-09: what is asked, what comes next and what would help, in both languages. */
test("a caller's wait is told in sentences", () => {
  expect(sentences(why(1, 0), 100_000, en)).toEqual([
    "Step 1 of 2 asks for: german >= 7. Agents who fit: 3, of them signed in: 2.",
    "Next step in 0:30: any.",
    "Signed in and not Ready (5): Anna, 4 more",
    "Would fit if german >= 3 were asked instead of german >= 7 (1): Cleo",
    "In 0:30 the next step begins; signed-in agents who fit it: 4",
  ]);
  const russian = sentences({ ...why(1, 0), hopeless: true, next: null }, 100_000, ru);
  expect(russian).toHaveLength(5);
  expect(russian.every((line) => /[а-я]/.test(line) && !line.includes("{"))).toBe(true);
});

/** CB-01: those of one service who are to be called back, in the order of their places. */
test("customers who are to be called back", () => {
  const call = (n: number, service: string, since: number | null) =>
    ({ interaction: `interaction_${n}`, service: { id: service, name: "Help" }, callback: since === null ? null : { number: "+4930", attempts: 0, since, held_until: null } }) as CallRow;
  const calls = [call(1, "service_1", 20), call(2, "service_1", null), call(3, "service_1", 10), call(4, "service_2", 5)];
  expect(toBeCalledBack("service_1", calls).map((one) => one.interaction)).toEqual(["interaction_3", "interaction_1"]);
});
