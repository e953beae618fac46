// How numbers, times and people look. Pure; the language comes in.

/** 0:07, 12:05, 1:02:03. Negative is zero: a countdown that ran over shows 0:00. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600);
  return h > 0 ? `${h}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

/** A telephone number in groups that people can read out. Not a claim about its country. */
export function phoneNumber(raw: string): string {
  const plus = raw.startsWith("+") ? "+" : "";
  const digits = raw.replace(/[^\d]/g, "");
  if (digits.length < 7 || /[^\d+\s()-]/.test(raw)) return raw;
  const tail = digits.slice(-7).replace(/(\d{3})(\d{2})(\d{2})/, "$1 $2 $3");
  const head = digits.slice(0, -7).replace(/(\d{2,3})(?=(\d{3})*$)/g, "$1 ").trim();
  return `${plus}${head} ${tail}`.replace("+ ", "+").trim();
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
