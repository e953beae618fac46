// Whom Enter calls, and why somebody cannot be called. Pure, so that a test can type.

import type { ColleagueItem, PhoneView, RoutingState } from "./api";
import { fill } from "./format";
import { stateName } from "./labels";
import type { Words } from "./words/en";

export type Target = { user: string } | { extension: string };

/** Most digits of what is taken for an extension when Enter is pressed; the row for a number outside is there all the same. */
const EXTENSION_DIGITS_MAX = 5;

/** What was typed as a number outside, if it can be one and is nobody's extension: as people write it, keys after a comma too. */
export function outside(typed: string, rows: readonly ColleagueItem[]): string | null {
  const text = typed.trim();
  if (!/^\+?[\d\s().\/-]*\d[\d\s().\/-]*(,[\d*#,\s]*)?$/.test(text) || rows.some((r) => r.extension === text)) return null;
  const digits = (text.split(",")[0] ?? "").replace(/\D/g, "").length;
  return digits >= 2 && digits <= 20 ? text : null;
}

/** Whether Enter dials it outside: short ones are extensions rather. */
export function dialsOutside(number: string | null): number is string {
  return number !== null && (/\D/.test(number) || number.startsWith("0") || number.length > EXTENSION_DIGITS_MAX);
}

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

/** Why this agent cannot call from the page now; empty when they can. A phone on a desk rings for a number outside. */
export function ownHindrance(phone: PhoneView, state: RoutingState, words: Words, number = false): string {
  if (state === "offline") return words.colleagues.youOffline;
  if (state === "ringing") return words.colleagues.youRinging;
  if (phone.kind === "number" && !number) return words.colleagues.notByNumber;
  if (phone.kind === "sip") return number ? "" : words.colleagues.dialOnPhone;
  if (phone.kind === "none") return words.colleagues.noPhone;
  return phone.up ? "" : words.colleagues.phoneDown;
}
