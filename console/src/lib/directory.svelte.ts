// The list of colleagues while it is open: searched as one types, refreshed so that the states are true.

import type { ColleagueItem, Page } from "./api";
import { problemText } from "./problem";
import { signed } from "./session.svelte";
import { spoken } from "./words.svelte";

const TYPING_MS = 200;
const REFRESH_MS = 3_000;
const SHOWN_MAX = 50;

export class Directory {
  items = $state.raw<ColleagueItem[]>([]);
  /** More matched than are shown. */
  more = $state(false);
  /** Whether the first answer is there: until then "nobody" would be a lie. */
  loaded = $state(false);
  problem = $state("");

  private typed = "";
  /** Only agents of this service; empty: everybody. */
  private of = "";
  /** What the rows answer to, and the search under way. */
  private answered: string | null = null;
  private underway: { query: string; done: Promise<void> } | null = null;
  private pause: ReturnType<typeof setTimeout> | undefined;

  /** Keeps the list fresh until the returned function is called. */
  watch(): () => void {
    void this.search();
    const timer = setInterval(() => void this.search(), REFRESH_MS);
    return () => (clearInterval(timer), clearTimeout(this.pause));
  }

  type(text: string) {
    this.typed = text;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.search(), TYPING_MS);
  }

  /** Shows agents of one service, or everybody again. */
  narrow(service: string) {
    this.of = service;
    this.underway = null;
    void this.search();
  }

  /** The rows for what is typed now: Enter must not call the first of an older list. */
  async rows(): Promise<ColleagueItem[]> {
    clearTimeout(this.pause);
    if (this.answered !== this.typed) await this.search();
    return this.answered === this.typed ? this.items : [];
  }

  private search(): Promise<void> {
    const query = this.typed;
    if (this.underway?.query === query) return this.underway.done;
    const done = this.ask(query).finally(() => {
      if (this.underway?.done === done) this.underway = null;
    });
    this.underway = { query, done };
    return done;
  }

  private async ask(query: string) {
    const of = this.of;
    const wanted = new URLSearchParams({ q: query.trim(), limit: String(SHOWN_MAX), ...(of && { service: of }) });
    try {
      const found = await signed.api.get<Page<ColleagueItem>>(`/colleagues?${wanted}`);
      // An answer that came late is about something nobody asks any more.
      if (query !== this.typed || of !== this.of) return;
      this.items = found.items;
      this.more = found.next_cursor !== null;
      this.answered = query;
      this.loaded = true;
      this.problem = "";
    } catch (e) {
      if (query === this.typed) this.problem = problemText(e, spoken.words);
    }
  }
}
