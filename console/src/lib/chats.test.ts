import { describe, expect, test } from "vitest";
import type { Message, WorkView } from "./api";
import { inOrder, merged, nothing, unread } from "./chats";

const message = (number: number, author: Message["author"]): Message => ({ number, at: number, author, text: `${number}` });

describe("a conversation", () => {
  test("takes each message once and in order, and waits for what is missing", () => {
    const one = merged([], [message(1, "customer"), message(2, "agent")]);
    expect(merged(one, [message(2, "agent"), message(3, "customer")]).map((m) => m.number)).toEqual([1, 2, 3]);
    expect(merged(one, [message(4, "customer")]).map((m) => m.number)).toEqual([1, 2]);
    expect(merged(one, [message(4, "customer"), message(3, "customer")]).map((m) => m.number)).toEqual([1, 2, 3, 4]);
  });

  /** CHAT-15: an unfocused chat shows an unread count. */
  test("counts what was neither seen nor answered", () => {
    const messages = [message(1, "customer"), message(2, "agent"), message(3, "customer"), message(4, "system"), message(5, "customer")];
    expect(unread({ ...nothing(), messages })).toBe(2);
    expect(unread({ ...nothing(), messages, seen: 3 })).toBe(1);
    expect(unread({ ...nothing(), messages: messages.slice(0, 2) })).toBe(0);
  });

  /** CHAT-15, VOICE-18: newest first, and a call is a row of its own. */
  test("stands newest first, below calls", () => {
    const row = (interaction: string, channel: string, answered_at: number) => ({ interaction, channel, answered_at }) as WorkView;
    const rows = [row("old", "chat", 1), row("call", "voice", 2), row("new", "chat", 3)];
    expect(inOrder(rows).map((w) => w.interaction)).toEqual(["call", "new", "old"]);
  });
});
