// States in words. Reasons of the tenant's own list come with its name; the appliance's own are said in the page's language.

import type { ReasonKind, RoutingState, StateView } from "./api";
import { en, type Words } from "./words/en";

export function reasonLabel(state: StateView, words: Words): string {
  if (!state.reason) return "";
  const { kind, id, name } = state.reason;
  if (id !== null) return name;
  if (kind === "chosen") return "";
  return renamed(kind, name) ? name : words.reason[kind];
}

/** STATE-13: a tenant that renamed one of these two wants its own name read, in whatever language it is. */
export function renamed(kind: ReasonKind, name: string): boolean {
  return (kind === "no_answer" || kind === "connection_lost") && name !== "" && name !== en.reason[kind];
}

export function stateLabel(state: StateView, words: Words): string {
  const reason = reasonLabel(state, words);
  return reason ? `${words.state[state.state]} · ${reason}` : words.state[state.state];
}

/** The state alone. One that this page does not know yet is named as the appliance names it. */
export function stateName(state: RoutingState, words: Words): string {
  return words.state[state] ?? state;
}
