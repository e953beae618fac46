// Conversations as the page holds them: pure, so that a test can play any of them.

import type { Message, WorkView } from "./api";

export interface Conversation {
  /** In order, without gaps. */
  messages: Message[];
  /** The number of the last message that was seen in focus. */
  seen: number;
  /** What is typed and not sent. */
  draft: string;
}

export const nothing = (): Conversation => ({ messages: [], seen: 0, draft: "" });

/** Whether a row is a conversation of messages rather than a call. */
export const isWritten = (of: { channel: string }): boolean => ["chat", "sms", "email"].includes(of.channel);

/** Adds what came, in order and once; what stands behind a gap is left out, because what is between is fetched first. */
export function merged(messages: Message[], more: Message[]): Message[] {
  const all = [...messages];
  for (const message of [...more].sort((a, b) => a.number - b.number)) {
    if (message.number === (all.at(-1)?.number ?? 0) + 1) all.push(message);
  }
  return all;
}

/** Messages of the customer that were neither seen nor answered (CHAT-15). */
export function unread({ messages, seen }: Conversation): number {
  const answered = messages.filter((m) => m.author === "agent").at(-1)?.number ?? 0;
  return messages.filter((m) => m.author === "customer" && m.number > Math.max(seen, answered)).length;
}

/** Calls first, as they came; then conversations, newest first (CHAT-15). */
export function inOrder(work: WorkView[]): WorkView[] {
  const written = work.filter(isWritten).sort((a, b) => (b.answered_at ?? b.since) - (a.answered_at ?? a.since));
  return [...work.filter((w) => !isWritten(w)), ...written];
}
