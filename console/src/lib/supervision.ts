// Supervisors in agents' calls (HELP-03 to HELP-05): which of the live calls can be taken part in, and how it reads.

import type { AttendedView, Attending, CallRow } from "./api";
import { whoIs } from "./offer";
import type { Words } from "./words/en";

export const WAYS: Attending[] = ["monitor", "coach", "barge_in"];

/** The customer's call in which an agent talks, or holds the customer; none: nobody could be listened to. */
export function attendable(calls: CallRow[], agent: string): CallRow | null {
  return calls.find((call) => call.agent === agent && call.service !== null && (call.phase === "talking" || call.phase === "held")) ?? null;
}

/** With whom, for which service. */
export function withWhom(call: AttendedView | CallRow, words: Words): string {
  const who = whoIs({ ...call, colleague: null }) || words.offer.unknown;
  return call.service ? `${who} · ${call.service.name}` : who;
}
