// What the records page makes of a record's timestamps.

import type { Millis, ServiceRecord } from "./api";

/** REC-03: inbound, when the conversation began; outbound, when dialling began. Without a conversation: the arrival. */
export function timeOf(r: ServiceRecord): Millis {
  return r.direction === "inbound" ? (r.answered_at ?? r.arrived_at) : r.arrived_at;
}

/** REC-04: from the caller's arrival, or from the start of dialling, to hang-up. Zero while it goes on. */
export function durationOf(r: ServiceRecord): Millis {
  return r.ended_at === null ? 0 : Math.max(0, r.ended_at - r.arrived_at);
}
