// Whom an agent asks about a customer, and what can become of both calls (XFER-01 to XFER-04). Pure, so that a test can choose.

import type { WorkView } from "./api";
import { isWritten } from "./chats";

const live = (work: WorkView) => work.phase === "talking" || work.phase === "held";

/** Whether somebody can be asked about this call now. */
export function canBeAsked(work: WorkView): boolean {
  return live(work) && !isWritten(work) && work.service !== null && work.flow === null;
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
