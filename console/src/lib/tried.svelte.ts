// A change that is tried before it is made: what it would do is shown, and asked for once more, it is made.

import { type DryRun, effects } from "./effects";
import { signed } from "./session.svelte";
import { spoken } from "./words.svelte";

export class Tried {
  /** What the change that was asked for would do, when that ought to be thought over. */
  effects = $state<string[]>([]);

  /** The change whose effects were shown. */
  private shown = "";

  /** Nothing is being changed any more: what was said about it is no news for the next. */
  forget() {
    [this.effects, this.shown] = [[], ""];
  }

  /** Whether a change may be made: it takes nothing away, or what it does was shown and it was asked for again. */
  async meant(method: "POST" | "PUT" | "DELETE", path: string, fields?: unknown): Promise<boolean> {
    const change = JSON.stringify([method, path, fields]);
    if (change === this.shown) return true;
    const { value } = await signed.api.call<DryRun>(method, `${path}?dry_run=true`, fields);
    this.effects = effects(value, spoken.words);
    this.shown = change;
    return this.effects.length === 0;
  }
}
