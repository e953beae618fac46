// Whom an agent asks about a customer, and what can become of both calls (XFER-01 to XFER-04). Pure, so that a test can choose.

import type { PartyView, ServiceRecord, WorkView } from "./api";
import { isWritten } from "./chats";
import { phoneNumber } from "./format";
import type { Words } from "./words/en";

const live = (work: WorkView) => work.phase === "talking" || work.phase === "held";

/** Whether somebody can be asked about this call now: a customer's, or one in which this agent is a guest. */
export function canBeAsked(work: WorkView): boolean {
  return live(work) && !isWritten(work) && (work.service !== null || work.conference !== null) && work.flow === null;
}

/** Whether the customer of this call can be passed on: who is a guest in it has none. */
export function canBePassed(work: WorkView): boolean {
  return canBeAsked(work) && work.service !== null;
}

/** The agent's customers whom whoever is called in `work` may be brought to; the one that is asked about first. */
export function customersFor(work: WorkView, all: readonly WorkView[]): WorkView[] {
  if (!live(work) || isWritten(work) || !work.outgoing || work.passed_by !== null) return [];
  const customers = all.filter((w) => w.interaction !== work.interaction && canBeAsked(w));
  return customers.sort((a, b) => Number(b.interaction === work.consults) - Number(a.interaction === work.consults));
}

/** Whose call it is about: the one that was chosen, if it is still there, or else the first. */
export function customerOf(work: WorkView, all: readonly WorkView[], chosen: string): WorkView | null {
  const customers = customersFor(work, all);
  return customers.find((w) => w.interaction === chosen) ?? customers[0] ?? null;
}

/** Others whom the agent called and has not brought in yet: they may come into the same call at once (XFER-09). */
export function othersToo(work: WorkView, into: WorkView, all: readonly WorkView[]): WorkView[] {
  return all.filter((w) => w !== work && w !== into && w.conference === null && customersFor(w, all).includes(into));
}

/** Somebody in a conference by name, or else by number. */
export function partyName(party: Pick<PartyView, "name" | "number">, words: Words): string {
  return party.name ?? (phoneNumber(party.number) || words.offer.unknown);
}

/** Everybody who was in a conference, in one line (XFER-15); empty of a call of two. */
export function participants(record: Pick<ServiceRecord, "guests" | "agent_name" | "caller" | "caller_name" | "contact" | "direction" | "parts">): string {
  if (record.guests.length === 0) return "";
  const customer = record.caller_name ?? phoneNumber(record.direction === "outbound" ? record.contact : record.caller);
  const agents = [...record.parts.map((p) => p.agent_name), record.agent_name].filter((name) => name !== null);
  return [...new Set([customer, ...agents, ...record.guests.map((g) => g.agent_name ?? phoneNumber(g.number))])].join(", ");
}
