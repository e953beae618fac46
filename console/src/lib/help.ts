// What supervisors read of an agent who asks for help (HELP-02).

import type { HelpView } from "./api";
import { fill } from "./format";
import { nameOf } from "./offer";
import type { Words } from "./words/en";

export function helpText(help: HelpView, words: Words): string {
  const who = nameOf(help, words);
  return fill(words.help.asks, { name: help.agent.name, with: help.service ? `${who} · ${help.service.name}` : who });
}
