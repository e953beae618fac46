// Messages that callers left for a service (ROUTE-07) or for the own extension (VM-01). Rust twin: desk/src/voicemails.rs.

import type { Millis } from "./api";

export interface VoicemailItem {
  id: string;
  /** The call in which it was left. */
  interaction: string;
  /** Null: for the own extension. */
  service: string | null;
  /** The service, or oneself. */
  service_name: string;
  caller: string;
  caller_name: string | null;
  /** Whose extension that number is, of a message for the own extension. */
  colleague: string | null;
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

/** Whether it may be erased: what was left for the own extension by its owner, others by whoever may erase recordings. */
export function canBeErased(message: { service: string | null; state: string }, mayErase: boolean): boolean {
  return message.state !== "finishing" && (message.service === null || mayErase);
}

/** What is asked for: all messages, those of a service, or the own ones. */
export function listed(wanted: { of: string; unheard: boolean }): URLSearchParams {
  const asked = new URLSearchParams({ limit: "50", unheard: String(wanted.unheard) });
  if (wanted.of === OWN) asked.set("own", "true");
  else if (wanted.of) asked.set("service", wanted.of);
  return asked;
}

/** In the place of a service: the own extension. */
export const OWN = "own";

/** Whether whoever left it can be called: callers may hide their number. */
export function canBeCalled(message: { caller: string }): boolean {
  return /^\+?[0-9]{2,20}$/.test(message.caller);
}
