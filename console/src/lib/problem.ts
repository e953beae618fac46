// What a refusal says to a person: our own words where we have them, the appliance's otherwise.

import { Problem } from "./api";
import type { Words } from "./words/en";

export function problemText(e: unknown, words: Words): string {
  if (!(e instanceof Problem)) return words.problem.unreachable;
  const known = words.problem as Record<string, string>;
  const own = known[e.code];
  if (own) return own;
  const fields = e.body.errors?.map((f) => f.message).join(" ");
  return fields || (e.body.detail ?? e.body.title);
}
