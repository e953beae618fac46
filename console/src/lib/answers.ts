// Answers to emails while they are typed: kept by the appliance, so that they are there at another computer and on another day.

import { type Api, Problem } from "./api";

/** Typing stops for this long before the answer is kept. */
const PAUSE_MS = 700;

interface Shown {
  of(interaction: string): { draft: string };
  draft(interaction: string, text: string): void;
}

export class Answers {
  private waiting = new Map<string, ReturnType<typeof setTimeout>>();
  private underway: Promise<unknown> = Promise.resolve();

  constructor(
    private api: Pick<Api, "get" | "call">,
    private shown: Shown,
  ) {}

  /** What was typed before, unless something newer is typed here. */
  async recall(interaction: string): Promise<void> {
    if (this.shown.of(interaction).draft !== "") return;
    const kept = await this.quietly(this.api.get<{ text: string }>(path(interaction)));
    if (kept?.text && this.shown.of(interaction).draft === "") this.shown.draft(interaction, kept.text);
  }

  type(interaction: string, text: string) {
    this.shown.draft(interaction, text);
    clearTimeout(this.waiting.get(interaction));
    this.waiting.set(interaction, setTimeout(() => void this.save(interaction), PAUSE_MS));
  }

  /** Keeps what was typed last; resolved when nothing is under way. */
  async save(interaction: string): Promise<void> {
    const timer = this.waiting.get(interaction);
    if (timer !== undefined) {
      clearTimeout(timer);
      this.waiting.delete(interaction);
      const text = this.shown.of(interaction).draft;
      // One after the other: an older text must not overtake a newer one.
      this.underway = this.underway.then(() => this.quietly(this.api.call("PUT", path(interaction), { text })));
    }
    await this.underway;
  }

  /** The answer is sent: nothing is to be kept. */
  sent(interaction: string) {
    clearTimeout(this.waiting.get(interaction));
    this.waiting.delete(interaction);
    this.shown.draft(interaction, "");
  }

  /** The text stands in the page in any case: the next pause in typing keeps it. */
  private async quietly<T>(work: Promise<T>): Promise<T | null> {
    try {
      return await work;
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      return null;
    }
  }
}

const path = (interaction: string) => `/contacts/${interaction}/draft`;
