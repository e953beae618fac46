// Which phones an agent may choose. Pure, so that a test can look.

import type { OwnPhone, PhoneKind, Phones, PhoneView } from "./api";
import type { Words } from "./words/en";

/** What may be chosen instead of what is set: the one in the page where the browser can run it, one on the desk only by whom an administrator gave one. */
export function choices(phones: Phones, browser: boolean): PhoneKind[] {
  const may: Record<PhoneKind, boolean> = { browser, sip: phones.set.kind === "sip", number: phones.own_numbers, none: true };
  return (Object.keys(may) as PhoneKind[]).filter((kind) => may[kind]);
}

/** What is to be kept; null: nothing of one's own. */
export function choice(kind: PhoneKind | "set", number: string): OwnPhone | null {
  if (kind === "set") return null;
  return { kind, number: kind === "number" ? number.trim() || null : null };
}

/** What stands beside the own state: which phone it is, and whether calls reach it. `before`: it was there already, so that it is lost now (ERR-25). */
export function badge(phone: PhoneView, before: boolean, words: Words["phone"]): { icon: "up" | "down" | "desk" | "outside" | "none"; text: string; good: boolean; lost: boolean } {
  const { kind, up, number } = phone;
  const lost = !up && before && (kind === "browser" || kind === "sip");
  if (kind === "none") return { icon: "none", text: words.none, good: true, lost };
  if (lost) return { icon: kind === "sip" ? "none" : "down", text: words.lost, good: false, lost };
  if (kind === "number") return up ? { icon: "outside", text: number ?? "", good: true, lost } : { icon: "none", text: words.number_down, good: false, lost };
  if (kind === "sip") return up ? { icon: "desk", text: words.sip_up, good: true, lost } : { icon: "none", text: words.sip_down, good: false, lost };
  return up ? { icon: "up", text: words.up, good: true, lost } : { icon: "down", text: words.connecting, good: false, lost };
}
