// The block list (VOICE-16). Rust twin: desk/src/configuration/blocks.rs.

import type { Millis } from "./api";

export interface BlockItem {
  id: string;
  number: string;
  /** All callers whose number begins like this. */
  prefix: boolean;
  reason: string;
  by: string | null;
  by_name: string | null;
  since: Millis;
  until: Millis | null;
  removable: boolean;
}

/** How long an entry may last, as it is offered. */
export const lasting = ["ever", "day", "week", "month", "year"] as const;
export type Lasting = (typeof lasting)[number];
const DAYS: Record<Exclude<Lasting, "ever">, number> = { day: 1, week: 7, month: 30, year: 365 };

/** When an entry ends that begins now; null: never by itself. */
export function endOf(lasts: Lasting, now: Millis): Millis | null {
  return lasts === "ever" ? null : Math.floor(now) + DAYS[lasts] * 86_400_000;
}

/** Whether there is a number that could be blocked: callers may hide theirs. */
export function canBeBlocked(of: { direction: string; caller: string }): boolean {
  return of.direction === "inbound" && /^\+?[0-9]{2,20}$/.test(of.caller);
}
