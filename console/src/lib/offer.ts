// The offer window's content: which fields, in whose order, and what each says (VOICE-03, VOICE-04, VOICE-05).

import type { Colleague, ExternalField, InternalField, OfferFields, OfferView } from "./api";
import { isWritten } from "./chats";
import { clock, fill, phoneNumber } from "./format";
import { notedValues } from "./noted";
import type { Words } from "./words/en";

export type Field = ExternalField | InternalField;
export interface Shown {
  field: Field;
  text: string;
}

/** Every field there is, as the administrator's page lists them. */
export const allFields = {
  external: ["service", "channel", "name", "number", "line", "noted", "waited"],
  internal: ["channel", "name", "extension", "waited"],
} as const satisfies OfferFields;

/** The standard windows, where the tenant has none of its own. */
export const usualFields = (): OfferFields => ({
  external: ["service", "channel", "name", "number", "noted", "waited"],
  internal: ["channel", "name", "extension"],
});

/** A person by name, or else by number: of a call out, the number that was called. */
export function whoIs(of: { colleague: Colleague | null; caller_name: string | null; caller: string; contact?: string; direction?: string }): string {
  const number = of.direction === "outbound" && of.contact ? of.contact : of.caller;
  return of.colleague?.name ?? of.caller_name ?? phoneNumber(number);
}

/** What it is about. */
export function titleOf(offer: OfferView, words: Words): string {
  if (offer.callback) return words.offer.titleCallback;
  if (offer.channel === "email") return words.offer.titleEmail;
  if (isWritten(offer)) return words.offer.titleWritten;
  return offer.direction === "internal" ? words.offer.titleInternal : words.offer.title;
}

/** The same for people: a visitor of whom nothing is known has no name. */
export function nameOf(of: Parameters<typeof whoIs>[0] & { channel: string }, words: Words): string {
  return whoIs(of) || (isWritten(of) ? words.chat.visitor : words.offer.unknown);
}

/**
 * What the window says, in the tenant's order. One field is written large: the name, or else the number; what stands before
 * it goes beside the title, what stands after it below.
 */
export function shownFields(offer: OfferView, window: OfferFields, words: Words): { before: Shown[]; large: Shown | null; after: Shown[] } {
  const fields: Field[] = offer.direction === "internal" ? window.internal : window.external;
  // Without a name the number stands in its place, and not a second time.
  const named = offer.direction === "internal" || offer.caller_name !== null;
  const shown = fields
    .filter((field) => field !== "number" || named || !fields.includes("name"))
    .map((field) => ({ field, text: text(field, offer, words) }))
    .filter((s) => s.text !== "");
  const at = [shown.findIndex((s) => s.field === "name"), shown.findIndex((s) => s.field === "number" || s.field === "extension")].find((i) => i >= 0);
  if (at === undefined) return { before: shown, large: null, after: [] };
  return { before: shown.slice(0, at), large: shown[at] ?? null, after: shown.slice(at + 1) };
}

function text(field: Field, offer: OfferView, words: Words): string {
  const w = words.offer;
  switch (field) {
    case "service":
      return offer.service ? fill(w.for, { service: offer.service.name }) : "";
    case "channel":
      return offer.direction === "internal" ? w.internal : w[offer.channel];
    case "name":
      return nameOf(offer, words);
    case "number":
      // Of those who write, email and number stand among what is known of them.
      if (isWritten(offer)) return "";
      return phoneNumber(offer.callback?.number ?? offer.caller) || w.unknown;
    case "line":
      if (isWritten(offer)) return offer.contact;
      return fill(w.dialled, { number: phoneNumber(offer.contact) });
    case "noted":
      return notedValues(offer.channel === "email" ? aboutFirst(offer.noted) : offer.noted, words.known)
        .map(({ label, value }) => `${label}: ${value}`)
        .join(", ");
    case "extension":
      return offer.colleague?.extension ? fill(w.extension, { extension: offer.colleague.extension }) : "";
    case "waited":
      return fill(w.waited, { time: clock(offer.waited_ms) });
  }
}

/** Of an email: what it is about stands first; the name that the sender's system has for it says nothing to people. */
export function aboutFirst(noted: Record<string, string>): Record<string, string> {
  const { subject, reference: _, ...rest } = noted;
  return subject === undefined ? rest : { subject, ...rest };
}

/** A field switched on goes to the end of those shown; the last one shown cannot be switched off. */
export function switched<T>(fields: readonly T[], field: T): T[] {
  if (!fields.includes(field)) return [...fields, field];
  return fields.length > 1 ? fields.filter((f) => f !== field) : [...fields];
}

/** A field moved by one place, if there is one. */
export function moved<T>(fields: readonly T[], field: T, by: -1 | 1): T[] {
  const list = [...fields];
  const from = list.indexOf(field);
  const to = from + by;
  if (from < 0 || to < 0 || to >= list.length) return list;
  [list[from], list[to]] = [list[to] as T, list[from] as T];
  return list;
}
