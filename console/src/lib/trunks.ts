// How a trunk stands with its carrier, in words. Pure.

import type { TrunkState } from "./api";
import { fill } from "./format";
import type { Words } from "./words/en";

/** What administrators read of it; 401 and 403 are passwords mostly. */
export function standing(state: TrunkState, words: Words["trunks"]): string {
  if (state.standing === "refused") {
    const status = String(state.status ?? "");
    return fill(state.status === 401 || state.status === 403 || state.status === 407 ? words.notLetIn : words.refused, { status });
  }
  if (state.standing === "unreached") return fill(words.unreached, { why: state.why ?? "" });
  return state.standing === "registered" ? words.registered : words.trying;
}
