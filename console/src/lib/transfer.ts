// To whom a customer can be passed on (XFER-05 to XFER-07), and why not. Pure, so that a test can choose.

import type { ColleagueItem, QueueView } from "./api";
import { outside } from "./colleagues";
import { fill } from "./format";
import { stateName } from "./labels";
import type { Words } from "./words/en";

export type Way = "service" | "agent" | "number";
export const ways: readonly Way[] = ["service", "agent", "number"];
/** Who can be asked about a customer: somebody, not a queue. */
export const whoToAsk: readonly Way[] = ["agent", "number"];

/** Whoever was chosen, as the appliance is told. */
export type Target = { service: string } | { user: string } | { number: string };

export interface ServiceRow {
  id: string;
  name: string;
  /** How many of its agents are free, and who waits already. */
  about: string;
  /** Why nobody can be passed on to it now; empty when somebody can. */
  why: string;
}

/** The services with their free agents (XFER-06): those with somebody free first. */
export function serviceRows(queues: readonly QueueView[], words: Words): ServiceRow[] {
  const w = words.transfer;
  const open = queues.filter((q) => q.open && !q.emergency);
  const rest = queues.filter((q) => !open.includes(q));
  const byFree = [...open].sort((a, b) => Number(b.ready_agents > 0) - Number(a.ready_agents > 0) || a.service.name.localeCompare(b.service.name));
  return [...byFree, ...rest].map((q) => ({
    id: q.service.id,
    name: q.service.name,
    about: fill(w.free, { n: q.ready_agents, of: q.agents, waiting: q.waiting }),
    why: q.open && !q.emergency ? (q.agents === 0 ? w.unstaffed : "") : w.closed,
  }));
}

/** Why a customer cannot be passed on to this colleague now; empty when one can. */
export function whyNotTo(row: ColleagueItem, words: Words): string {
  if (row.callable) return "";
  if (row.state === "offline" || row.state === "logged_out") return fill(words.colleagues.offline, { name: row.name });
  return `${row.name}: ${stateName(row.state, words)}, ${words.transfer.notNow}`;
}

/** What is typed as a number that can be dialled; keys after the answer cannot be pressed, for nobody is there to press them. */
export function numberOf(typed: string): string | null {
  const number = outside(typed, []);
  return number === null || number.includes(",") ? null : number;
}

/** The way to the left or right of the one that is shown, by an arrow key; or the first or last. */
export function nextWay(way: Way, key: string, ways: readonly Way[]): Way | null {
  const at = ways.indexOf(way);
  const to = { ArrowRight: (at + 1) % ways.length, ArrowLeft: (at + ways.length - 1) % ways.length, Home: 0, End: ways.length - 1 }[key];
  return to === undefined ? null : (ways[to] ?? null);
}
