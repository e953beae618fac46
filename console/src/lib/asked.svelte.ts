// What the appliance says of a text while it is typed: it is asked when typing stops for a moment, and an answer that was overtaken by
// typing says nothing about what stands there now.

import { problemText } from "./problem";
import { signed } from "./session.svelte";
import { spoken } from "./words.svelte";

/** Typing stops for this long before the appliance is asked. */
const PAUSE_MS = 350;

export class Asked<T> {
  /** Why nothing is known of the text; empty otherwise. */
  trouble = $state("");
  /** The last answer, and the text it is about. */
  private last = $state<{ about: string; says: T } | null>(null);

  /** `text` is read anew after every change; to be made while a component is set up. */
  constructor(
    private readonly path: string,
    private readonly text: () => string,
  ) {
    $effect(() => {
      const about = text();
      const timer = setTimeout(() => void this.ask(about), PAUSE_MS);
      return () => clearTimeout(timer);
    });
  }

  /** What is said of the text as it stands; `null` until that is known. */
  get answer(): T | null {
    return this.last?.about === this.text() ? this.last.says : null;
  }

  private async ask(about: string): Promise<void> {
    try {
      const { value } = await signed.api.call<T>("POST", this.path, { text: about });
      if (about === this.text()) [this.last, this.trouble] = [{ about, says: value }, ""];
    } catch (e) {
      if (about === this.text()) this.trouble = problemText(e, spoken.words);
    }
  }
}
