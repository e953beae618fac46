import { describe, expect, it } from "vitest";
import type { PhoneKind } from "./api";
import { badge, choice, choices } from "./phones";
import { en } from "./words/en";

const set = (kind: PhoneKind, own_numbers = true) => ({ set: { kind, number: null }, own: null, own_numbers });

describe("phones", () => {
  /** CONN-03, CONN-10 */
  it("offers what an agent may have", () => {
    expect(choices(set("browser"), true)).toEqual(["browser", "number", "none"]);
    expect(choices(set("sip"), true)).toEqual(["browser", "sip", "number", "none"]);
    expect(choices(set("number", false), true)).toEqual(["browser", "none"]);
    expect(choices(set("browser"), false)).toEqual(["number", "none"]);
  });
  /** CONN-06, CONN-09 */
  it("keeps a number only where one is dialled", () => {
    expect(choice("set", "030 1")).toBeNull();
    expect(choice("number", " 030 1 ")).toEqual({ kind: "number", number: "030 1" });
    expect(choice("number", " ")).toEqual({ kind: "number", number: null });
    expect(choice("none", "030 1")).toEqual({ kind: "none", number: null });
  });
  /** CONN-12, ERR-25 */
  it("says when a phone cannot be reached, and when it was lost", () => {
    const of = (kind: PhoneKind, up: boolean, before: boolean) => {
      const { text, good, lost } = badge({ kind, up, number: kind === "number" ? "+49170" : null, problem: null }, before, en.phone);
      return [text, good, lost];
    };
    expect(of("browser", true, true)).toEqual(["Phone connected", true, false]);
    expect(of("browser", false, false)).toEqual(["Connecting the phone…", false, false]);
    expect(of("browser", false, true)).toEqual(["Your phone has lost its connection.", false, true]);
    expect(of("sip", false, false)).toEqual(["Desk phone not registered", false, false]);
    expect(of("sip", false, true)).toEqual(["Your phone has lost its connection.", false, true]);
    expect(of("number", true, true)).toEqual(["+49170", true, false]);
    expect(of("number", false, true)[1]).toBe(false);
    expect(of("none", false, true)).toEqual(["No phone", true, false]);
  });
});
