// Break time of an agent, as it runs (STATE-14). Pure; the time comes in.

import type { Breaks } from "./api";

/** Milliseconds used and left today, and the used part of the allowance, 0 to 1. Without an allowance nothing is left or over. */
export function breakTime(breaks: Breaks, now: number): { used: number; left: number | null; over: number; part: number } {
  const used = breaks.used_ms + (breaks.since === null ? 0 : Math.max(0, now - breaks.since));
  const allowed = breaks.allowance_ms;
  if (allowed === null) return { used, left: null, over: 0, part: 0 };
  return { used, left: Math.max(0, allowed - used), over: Math.max(0, used - allowed), part: allowed > 0 ? Math.min(1, used / allowed) : 1 };
}
