// The conversations of one page. Texts come with the appliance's events; what a page has not seen, it fetches.

import { type Api, Problem, type Message } from "./api";
import { type Conversation, merged, nothing, unread } from "./chats";

/** What is typed outlives a reload of the page, in this tab only. */
const KEPT = "drafts";

export class Chats {
  private all = $state.raw<Record<string, Conversation>>({});
  private fetching = new Set<string>();

  constructor(private api: Api) {}

  of(interaction: string): Conversation {
    return this.all[interaction] ?? nothing();
  }

  unread(interaction: string): number {
    return unread(this.of(interaction));
  }

  /** What came over the socket; what is missing before it is fetched. */
  receive(interaction: string, message: Message) {
    const messages = merged(this.of(interaction).messages, [message]);
    this.put(interaction, { messages });
    if (messages.at(-1)?.number !== message.number) void this.fetch(interaction);
  }

  /** The rows that there are: new ones are fetched, others forgotten. */
  keep(rows: { interaction: string; last: number }[]) {
    const kept = new Set(rows.map((row) => row.interaction));
    this.all = Object.fromEntries(Object.entries(this.all).filter(([interaction]) => kept.has(interaction)));
    for (const { interaction, last } of rows) {
      if (!(interaction in this.all)) this.put(interaction, { draft: this.kept()[interaction] ?? "" });
      if ((this.of(interaction).messages.at(-1)?.number ?? 0) < last) void this.fetch(interaction);
    }
  }

  /** It is in focus: everything in it is seen. */
  see(interaction: string) {
    const { messages, seen } = this.of(interaction);
    const last = messages.at(-1)?.number ?? 0;
    if (last > seen) this.put(interaction, { seen: last });
  }

  draft(interaction: string, draft: string) {
    this.put(interaction, { draft });
    const drafts = Object.entries(this.all).filter(([, conversation]) => conversation.draft !== "");
    sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(drafts.map(([id, c]) => [id, c.draft]))));
  }

  /** Somebody else sits down here. */
  forget() {
    this.all = {};
    sessionStorage.removeItem(KEPT);
  }

  private kept(): Record<string, string> {
    try {
      return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Record<string, string>;
    } catch {
      return {};
    }
  }

  private put(interaction: string, change: Partial<Conversation>) {
    this.all = { ...this.all, [interaction]: { ...this.of(interaction), ...change } };
  }

  private async fetch(interaction: string): Promise<void> {
    if (this.fetching.has(interaction)) return;
    this.fetching.add(interaction);
    try {
      for (;;) {
        const after = this.of(interaction).messages.at(-1)?.number ?? 0;
        const page = await this.api.get<{ items: Message[] }>(`/contacts/${interaction}/messages?after=${after}`);
        // It may be over meanwhile.
        if (page.items.length === 0 || !(interaction in this.all)) return;
        this.put(interaction, { messages: merged(this.of(interaction).messages, page.items) });
      }
    } catch (e) {
      // The database may be away: the next message asks again.
      if (!(e instanceof Problem)) throw e;
    } finally {
      this.fetching.delete(interaction);
    }
  }
}
