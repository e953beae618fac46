// How numbers, times and people look. Pure; the language comes in.

import { parsePhoneNumberFromString } from "libphonenumber-js/min";

/** 0:07, 12:05, 1:02:03. Negative is zero: a countdown that ran over shows 0:00. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return h > 0 ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** An international number in its country's groups; anything else as it came. */
export function phoneNumber(raw: string): string {
  if (!/^\+\d{5,15}$/.test(raw)) return raw;
  return parsePhoneNumberFromString(raw)?.formatInternational() ?? raw;
}

/** By name, so that buttons keep their places from call to call. */
export function byName<T extends { name: string }>(items: readonly T[], language: string): T[] {
  return [...items].sort((a, b) => a.name.localeCompare(b.name, language));
}

/** Up to two letters for a face that is not there. */
export function initials(name: string): string {
  const parts = name.trim().split(/\s+/).filter(Boolean);
  const letters = parts.length > 1 ? [parts[0], parts[parts.length - 1]] : parts;
  return letters.map((p) => [...(p ?? "")][0]?.toUpperCase() ?? "").join("");
}

/** Quality in three words that agents understand; the figures stand beside it. */
export function grade(mos: number | null | undefined): "unknown" | "good" | "fair" | "poor" {
  if (mos === null || mos === undefined) return "unknown";
  return mos >= 4 ? "good" : mos >= 3.4 ? "fair" : "poor";
}

/** Puts values into the braces of a text. */
export function fill(text: string, values: Record<string, string | number | null>): string {
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
}

/** A place in a recording as people type it: `75`, `1:15`, `1:02:03`, with tenths. Nothing, when it is none. */
export function milliseconds(text: string): number | null {
  const parts = text.trim().replace(",", ".").split(":");
  if (parts.length > 3 || !parts.every((part, i) => (i === parts.length - 1 ? /^\d{1,6}(\.\d{1,3})?$/ : /^\d{1,4}$/).test(part))) return null;
  return Math.round(parts.reduce((sum, part) => sum * 60 + Number(part), 0) * 1000);
}
