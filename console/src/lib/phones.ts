// Which phones an agent may choose. Pure, so that a test can look.

import type { OwnPhone, PhoneKind, Phones } from "./api";

/** What may be chosen instead of what is set: a phone on the desk only by whom an administrator gave one. */
export function choices(phones: Phones): PhoneKind[] {
  const all: PhoneKind[] = ["browser", "sip", "number", "none"];
  return all.filter((kind) => (kind === "sip" ? phones.set.kind === "sip" : kind !== "number" || phones.own_numbers));
}

/** What is to be kept; null: nothing of one's own. */
export function choice(kind: PhoneKind | "set", number: string): OwnPhone | null {
  if (kind === "set") return null;
  return { kind, number: kind === "number" ? number.trim() || null : null };
}
