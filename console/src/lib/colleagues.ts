// Whom Enter calls, and why somebody cannot be called. Pure, so that a test can type.

import type { ColleagueItem, PhoneView, RoutingState } from "./api";
import { fill } from "./format";
import { stateName } from "./labels";
import type { Words } from "./words/en";

export type Target = { user: string } | { extension: string };

/** A typed extension is called as it stands, known or not; a name calls the first row. Nothing typed calls nobody. */
export function target(typed: string, rows: readonly ColleagueItem[]): ColleagueItem | { extension: string } | null {
  const text = typed.trim();
  if (text === "") return null;
  if (/^\d+$/.test(text)) return rows.find((r) => r.extension === text) ?? { extension: text };
  return rows[0] ?? null;
}

/** Why this colleague cannot be called; empty when they can. */
export function whyNot(row: ColleagueItem, words: Words): string {
  if (row.callable) return "";
  if (row.state === "offline" || row.state === "logged_out") return fill(words.colleagues.offline, { name: row.name });
  return `${row.name}: ${stateName(row.state, words)}, ${words.colleagues.notNow}`;
}

/** Why this agent cannot call from the page now; empty when they can. */
export function ownHindrance(phone: PhoneView, state: RoutingState, words: Words): string {
  if (state === "offline") return words.colleagues.youOffline;
  if (state === "ringing") return words.colleagues.youRinging;
  if (phone.kind === "sip") return words.colleagues.dialOnPhone;
  if (phone.kind === "none") return words.colleagues.noPhone;
  return phone.up ? "" : words.colleagues.phoneDown;
}
