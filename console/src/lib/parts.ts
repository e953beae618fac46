// Who talked to a customer, one after the other, each with the time of their own (XFER-05). Pure.

import type { Millis, ServiceRecord } from "./api";

export interface Part {
  agent: string;
  service: string;
  /** Null: they never heard each other. */
  from: Millis | null;
  /** Null: it goes on. */
  to: Millis | null;
  /** How long they talked. */
  time: Millis | null;
  /** To whom the customer went. */
  next: string;
  /** How this agent coded it, and the remark. */
  coded: string;
}

/** Those who passed the customer on, and whoever was last. */
export function partsOf(record: Pick<ServiceRecord, "parts" | "agent" | "agent_name" | "service_name" | "talking_since" | "ended_at" | "disposition_name" | "comment">): Part[] {
  const coded = (of: { disposition_name: string | null; comment: string }) => [of.disposition_name, of.comment].filter(Boolean).join(" · ");
  const parts: Part[] = record.parts.map((p) => ({
    agent: p.agent_name ?? "–",
    service: p.service_name ?? "–",
    from: p.answered_at,
    to: p.ended_at,
    time: p.answered_at === null ? null : p.ended_at - p.answered_at,
    next: p.to_name,
    coded: coded(p),
  }));
  if (record.agent === null) return parts;
  const [from, to] = [record.talking_since, record.ended_at];
  const last = { agent: record.agent_name ?? "–", service: record.service_name ?? "–", from, to, time: from === null || to === null ? null : to - from, next: "", coded: coded(record) };
  return [...parts, last];
}
