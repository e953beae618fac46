// Opening hours of a service as they are typed: one entry a line.

export interface Hours {
  zone: string;
  /** `mon-fri 09:00-17:30` */
  open: string[];
  /** `2026-12-25`, or `12-25` of every year. */
  holidays: string[];
  /** Days with times of their own: `09:00-12:00`, or `closed`. */
  special: Record<string, string>;
}

export const newHours = (zone: string): Hours => ({ zone, open: ["mon-fri 09:00-18:00"], holidays: [], special: {} });

export const lines = (text: string): string[] => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** `2026-12-24 09:00-12:00`, a day a line. */
export const specialText = (special: Record<string, string>): string =>
  Object.entries(special)
    .map(([day, times]) => `${day} ${times}`)
    .join("\n");

export function specialOf(text: string): Record<string, string> {
  const days = lines(text).map((line) => {
    const at = line.search(/\s/);
    return at < 0 ? ([line, ""] as const) : ([line.slice(0, at), line.slice(at).trim()] as const);
  });
  return Object.fromEntries(days);
}
