// Messages that callers left for a service (ROUTE-07). Rust twin: desk/src/voicemails.rs.

import type { Millis } from "./api";

export interface VoicemailItem {
  id: string;
  /** The call in which it was left. */
  interaction: string;
  service: string;
  service_name: string;
  caller: string;
  caller_name: string | null;
  left_at: Millis;
  /** It can be played soon, now, or never. */
  state: "finishing" | "ready" | "failed";
  /** 0 until it can be played. */
  length_ms: number;
  /** Null: nobody has heard it. */
  heard_at: Millis | null;
  heard_by_name: string | null;
}

/** What stands beside a word where so many wait; nothing where none does. */
export function badge(unheard: number): string {
  if (unheard <= 0) return "";
  return unheard > 99 ? "99+" : String(unheard);
}

/** Whether whoever left it can be called: callers may hide their number. */
export function canBeCalled(message: { caller: string }): boolean {
  return /^\+?[0-9]{2,20}$/.test(message.caller);
}
