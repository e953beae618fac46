// States in words. Reasons of the tenant's own list come with its name; the appliance's own are said in the page's language.

import type { StateView } from "./api";
import type { Words } from "./words/en";

export function reasonLabel(state: StateView, words: Words): string {
  if (!state.reason) return "";
  const { kind, id, name } = state.reason;
  if (id !== null) return name;
  return kind === "chosen" ? "" : words.reason[kind];
}

export function stateLabel(state: StateView, words: Words): string {
  const reason = reasonLabel(state, words);
  return reason ? `${words.state[state.state]} · ${reason}` : words.state[state.state];
}
