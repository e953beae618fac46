// What a change would do, as people read it before they make it (`?dry_run=true`). Rust twin: desk/src/configuration/dry_run.rs.

import type { Channel, Named } from "./api";
import { clock, fill } from "./format";
import type { Words } from "./words/en";

export interface Stop {
  kind: "flow" | "number" | "service" | "waiting";
  name: string;
}
export interface DryRun {
  queues: { service: Named; before: number; after: number }[];
  nobody_meets: { service: Named; step: number; asks_for: string }[];
  agents: { agent: Named; loses: string[]; gains: string[] }[];
  agents_total: number;
  waiting: { interaction: string; service: Named | null; before: number; after: number }[];
  waiting_total: number;
  waiting_cut: boolean;
  led_nowhere: { from: Stop; to: Stop; renamed: boolean }[];
  times: { what: Time; of: string; step: number | null; before_ms: number | null; after_ms: number | null; kept_by: number }[];
  carried: { channel: Channel; fewer: number; none: number }[];
}
export type Time = "ring_time" | "longest_wait" | "service_level" | "refusal_pause" | "step" | "after_call_work";

/** Agents who are named; the others are counted. */
const NAMED_MAX = 5;

/**
 * What ought to be thought over, worst first; nothing when nobody loses anything: whoever gives an agent a skill is not asked whether
 * that was meant.
 */
export function effects(run: DryRun, words: Words): string[] {
  const w = words.effects;
  const stop = (s: Stop) => fill(w[s.kind], { name: s.name });
  const said: string[] = [];
  const left = run.waiting.filter((x) => x.after === 0).length;
  if (left > 0) said.push(fill(w.waitInVain, { n: left }));
  for (const q of run.queues) if (q.after === 0 && q.before > 0) said.push(fill(w.nobody, { service: q.service.name, before: q.before }));
  for (const s of run.nobody_meets) said.push(fill(w.nobodyMeets, { service: s.service.name, step: s.step, asks: s.asks_for }));
  for (const l of run.led_nowhere) said.push(fill(l.renamed ? w.renamed : w.gone, { from: stop(l.from), to: stop(l.to) }));
  for (const q of run.queues) if (q.after > 0 && q.after < q.before) said.push(fill(w.fewer, { service: q.service.name, before: q.before, after: q.after }));
  const losers = run.agents.filter((a) => a.loses.length > 0);
  for (const a of losers.slice(0, NAMED_MAX)) said.push(fill(w.loses, { name: a.agent.name, services: a.loses.join(", ") }));
  // The appliance lists the first hundred agents; of the others it is not known whether they lose or gain.
  if (losers.length > NAMED_MAX) said.push(fill(w.more, { n: losers.length - NAMED_MAX }));
  const fewer = run.waiting_total - left;
  if (fewer > 0) said.push(fill(w.waitLonger, { n: fewer }));
  for (const c of run.carried) {
    const kind = w.kinds[c.channel];
    if (c.none > 0) said.push(fill(w.carryNone, { n: c.none, kind }));
    if (c.fewer > c.none) said.push(fill(w.carryFewer, { n: c.fewer - c.none, kind }));
  }
  // Whoever changes a time knows it; that others wait on by the old one is news.
  const time = (ms: number | null) => (ms === null ? w.endless : clock(ms));
  for (const t of run.times.filter((t) => t.kept_by > 0)) {
    const what = fill(w.times[t.what], { step: t.step ?? 0 });
    said.push(fill(w.keepTime, { of: t.of, what, before: time(t.before_ms), after: time(t.after_ms), n: t.kept_by }));
  }
  // Sentences may begin with a name of a kind: "the flow …".
  return said.map((line) => line.charAt(0).toUpperCase() + line.slice(1));
}
