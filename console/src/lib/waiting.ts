// Why callers wait (ROUTE-09), in the words of the reader. Pure; the language comes in. Twin of desk/src/past/explanation.rs.

import type { CallRow, Explanation, OpenCallback, Verdict } from "./api";
import { clock, fill, phoneNumber } from "./format";
import type { Words } from "./words/en";

/** One who waits, with the call it is. */
export interface Waiting {
  why: Explanation;
  caller: string;
}

/** Those who wait for a service, the first in the line first; `null`: for whatever service. */
export function waitingFor(service: string | null, explained: Explanation[], calls: CallRow[]): Waiting[] {
  const named = new Map(calls.map((call) => [call.interaction, call.caller_name ?? phoneNumber(call.caller)]));
  return explained
    .filter((why) => service === null || why.service?.id === service)
    .sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || a.waiting_since - b.waiting_since)
    .map((why) => ({ why, caller: named.get(why.interaction) ?? why.interaction }));
}

/** Customers of a service who are to be called back, the first in the line first. */
export function toBeCalledBack(service: string, calls: CallRow[]): (CallRow & { callback: OpenCallback })[] {
  return calls
    .filter((call): call is CallRow & { callback: OpenCallback } => call.callback !== null && call.service?.id === service)
    .sort((a, b) => a.callback.since - b.callback.since);
}

/** Agents who fit, by what stands between them and the caller; the nearest to taking it first. */
export function grounds(why: Explanation): [Verdict, string[]][] {
  const order: Verdict[] = ["ringing", "handling", "eligible", "no_room", "refused", "not_ready", "no_phone", "not_for_kind", "away"];
  const of = (verdict: Verdict) => why.agents.filter((one) => one.verdict === verdict).map((one) => one.agent.name);
  return order.map((verdict): [Verdict, string[]] => [verdict, of(verdict)]).filter(([, names]) => names.length > 0);
}

/** What the requirement asks, what comes next, and what would help; a sentence each. */
export function sentences(why: Explanation, now: number, words: Words): string[] {
  const w = words.line;
  const inTime = (at: number | null) => (at === null ? "–" : clock(at - now));
  const lines = [fill(w.asks, { who: why.asks_for ?? "–", step: why.step, steps: why.steps, fitting: why.fitting, online: why.online })];
  if (why.hopeless) lines.push(w.hopeless);
  if (why.next) lines.push(fill(w.next, { who: why.next.asks_for, in: inTime(why.next.at) }));
  for (const { kind, agents, who, asked, instead, at } of why.advice) {
    const more = agents - who.length;
    const names = [...who.map((one) => one.name), ...(more > 0 && who.length > 0 ? [fill(w.more, { n: more })] : [])].join(", ");
    lines.push(fill(w.advice[kind], { agents, who: names, asked, instead, in: inTime(at) }));
  }
  return lines;
}
