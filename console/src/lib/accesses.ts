// Who fetched a recording, as people want to read it: a player that begins or jumps asks for several parts, and that is one listening.

import type { Millis, RecordingAccess } from "./api";

export interface Listening extends RecordingAccess {
  /** How often it was asked for. */
  times: number;
}

/** Farther apart it is another listening. */
const TOGETHER_MS: Millis = 60_000;

/** Newest first, as they come from the appliance; each stretch of the same is told once, at its newest. */
export function listenings(accesses: RecordingAccess[]): Listening[] {
  const told: Listening[] = [];
  let before: RecordingAccess | null = null;
  for (const access of accesses) {
    const last = told.at(-1);
    const same =
      before !== null &&
      before.by === access.by &&
      before.format === access.format &&
      before.address === access.address &&
      before.at - access.at <= TOGETHER_MS;
    if (same && last) last.times += 1;
    else told.push({ ...access, times: 1 });
    before = access;
  }
  return told;
}
