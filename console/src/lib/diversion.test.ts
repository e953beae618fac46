import { describe, expect, it } from "vitest";
import { diversionPath, messagesRest, trimmed, type Diversion } from "./diversion";

const set = (on: boolean): Diversion => ({ forwarding: { on, number: " +49 30 1 ", after_s: 0 }, voicemail: { on: true, after_s: 20 } });

describe("calls that are not taken", () => {
  it("are set for oneself or for a user", () => {
    expect(diversionPath(null)).toBe("/session/diversion");
    expect(diversionPath("user_1")).toBe("/users/user_1/diversion");
  });
  it("VM-14: forwarding rests the messages and keeps what was set", () => {
    expect(messagesRest(set(true))).toBe(true);
    expect(messagesRest(set(false))).toBe(false);
    expect(trimmed(set(true)).voicemail).toEqual({ on: true, after_s: 20 });
    expect(trimmed(set(true)).forwarding.number).toBe("+49 30 1");
  });
});
