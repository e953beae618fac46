// What happened in this page, for who looks for a fault (QUAL-04): connections, commands, the phone and its figures; no numbers and no names.
// Bounded, and kept over a reload of the tab.

import type { Millis } from "./api";

export interface Line {
  at: Millis;
  what: string;
}

/** Most lines that are kept. */
const LINES_MAX = 4_000;
/** A longer line is cut. */
const LINE_MAX = 300;
/** Most characters that are sent along with a report: of the text, its end. The appliance takes 256 KiB. */
const SENT_MAX = 80_000;
/** So long before a fault its beginning may be. */
export const BEFORE_MS = 10 * 60_000;
const PIECE_MS = 15 * 60_000;

/** What is noted of an event of the appliance: which, and of which interaction and phase. */
export function eventLine(event: { event: string }): string {
  const all = event as Record<string, unknown>;
  const of = (all["work"] ?? all["offer"] ?? all) as Record<string, unknown>;
  const more = [of["interaction"], of["phase"], all["why"], all["code"]].filter((word) => typeof word === "string");
  return ["event:", event.event, ...more].join(" ");
}

/** A quarter of an hour of the log. */
export interface Piece {
  from: Millis;
  to: Millis;
  lines: number;
}

export class PageLog {
  private lines: Line[] = [];

  constructor(kept: string | null = null) {
    this.restore(kept);
  }

  /** What is said again and again is kept once. */
  add(at: Millis, what: string) {
    const line = [...what].map((c) => (c < " " ? " " : c)).join("").slice(0, LINE_MAX);
    if (this.lines.at(-1)?.what === line) return;
    this.lines.push({ at, what: line });
    if (this.lines.length > LINES_MAX) this.lines.splice(0, this.lines.length - LINES_MAX);
  }

  /** The lines of a time as text, at most so long as may be sent: its end. */
  text(from: Millis, to: Millis): string {
    const of = this.lines.filter((line) => line.at >= from && line.at <= to);
    const text = of.map((line) => `${new Date(line.at).toISOString()} ${line.what}\n`).join("");
    return text.length <= SENT_MAX ? text : text.slice(text.indexOf("\n", text.length - SENT_MAX) + 1);
  }

  /** The log by quarters of an hour, the newest first. */
  pieces(): Piece[] {
    const pieces = new Map<number, Piece>();
    for (const { at } of this.lines) {
      const from = Math.floor(at / PIECE_MS) * PIECE_MS;
      const piece = pieces.get(from) ?? { from, to: from + PIECE_MS - 1, lines: 0 };
      pieces.set(from, { ...piece, lines: piece.lines + 1 });
    }
    return [...pieces.values()].sort((a, b) => b.from - a.from);
  }

  /** To be kept by the tab. */
  kept(): string {
    return JSON.stringify(this.lines.map((line) => [line.at, line.what]));
  }

  private restore(kept: string | null) {
    try {
      const lines = JSON.parse(kept ?? "[]") as unknown;
      if (!Array.isArray(lines)) return;
      for (const line of lines as unknown[]) {
        if (Array.isArray(line) && typeof line[0] === "number" && typeof line[1] === "string") this.add(line[0], line[1]);
      }
    } catch {
      // What a tab kept of another version is not worth a fault of its own.
    }
  }
}
