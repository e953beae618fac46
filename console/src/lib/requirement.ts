// Requirements as text: what the appliance says about one, in the words of the page. The grammar is its own (docs/operator.md).

import { fill } from "./format";
import type { Words } from "./words/en";

/** What is wrong with a text, and where. */
export interface TextProblem {
  /** Octets of UTF-8 before it. */
  at: number;
  /** Octets of UTF-8 that it covers; 0 at the end of the text. */
  length: number;
  line: number;
  column: number;
  code: string;
  params: Record<string, string>;
  message: string;
  /** The line, and carets in a second line. */
  shown: string;
}
/** What `/requirement/check` answers. */
export interface Checked {
  valid: boolean;
  problem: TextProblem | null;
  who_text: string | null;
  agents: number;
  who_meet: { name: string; login: string; id: string }[];
}

/** Agents whose names are told. */
const NAMED = 6;
const RESERVED = ["any", "nobody", "and", "or", "not", "group", "agent", "in"];

/** A name as it stands in a text. */
export function written(name: string): string {
  const bare = /^[\p{L}\p{Nd}_][\p{L}\p{Nd}_.@-]*$/u.test(name) && !RESERVED.includes(name.toLowerCase());
  return bare ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}

/** Where the problem stands in the text, as a page selects it: in units of UTF-16. */
export function selection(text: string, problem: TextProblem): [number, number] {
  const octets = new TextEncoder().encode(text);
  const units = (end: number) => new TextDecoder().decode(octets.slice(0, end)).length;
  return [units(problem.at), units(problem.at + problem.length)];
}

/** Place and reason, and what to write. */
export function explained(problem: TextProblem, words: Words): string {
  const w = words.requirement;
  const p = problem.params;
  const kind = (w.kinds as Record<string, string>)[p.kind ?? ""] ?? "";
  const expected = (w.expected as Record<string, string>)[p.expected ?? ""] ?? "";
  const reasons = w.reasons as Record<string, string>;
  const reason = problem.code === "expected" && !p.found ? w.reasons.ends : reasons[problem.code];
  const why = reason ? fill(reason, { kind, expected, name: p.name ?? "", found: p.found ?? "" }) : problem.message;
  const place = fill(w.place, { line: problem.line, column: problem.column, why });
  if (!p.instead || !reason) return place;
  const guess = problem.code === "unknown" || problem.code === "ambiguous";
  return `${place} ${fill(guess ? w.meant : w.instead, { instead: p.instead })}`;
}

/** How many meet it, and who. */
export function whoMeet(checked: Checked, words: Words): string {
  const w = words.requirement;
  if (checked.agents === 0) return w.nobody;
  const names = checked.who_meet.slice(0, NAMED).map((user) => user.name);
  if (checked.agents > names.length) names.push("…");
  return fill(w.meet, { n: checked.agents, names: names.join(", ") });
}
