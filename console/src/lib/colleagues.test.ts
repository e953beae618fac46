import { describe, expect, test } from "vitest";
import type { ColleagueItem, RoutingState } from "./api";
import { dialsOutside, outside, ownHindrance, target, whyNot } from "./colleagues";
import { en } from "./words/en";

const person = (name: string, extension: string | null, state: RoutingState = "ready", callable = true): ColleagueItem => ({
  user: `user_${name}`,
  name,
  extension,
  state,
  presence: "available",
  callable,
  mobile: null,
});
const anna = person("Anna", "1002");
const annika = person("Annika", "10");

describe("OUT-03: Enter calls what was typed", () => {
  test("an extension is called as typed, and never a longer one", () => {
    expect(target("1002", [anna])).toBe(anna);
    expect(target(" 100 ", [anna])).toEqual({ extension: "100" });
    expect(target("10", [anna, annika])).toBe(annika);
    expect(target("1002", [])).toEqual({ extension: "1002" });
  });

  test("a name calls the first of the list", () => {
    expect(target("ann", [anna, annika])).toBe(anna);
    expect(target("ann", [])).toBeNull();
  });

  test("nothing typed calls nobody", () => {
    expect(target("  ", [anna])).toBeNull();
  });
});

describe("OUT-01: a number outside is typed or pasted", () => {
  test("as people write it, with keys after a comma", () => {
    for (const number of ["+49 (30) 123-456", "030/123456", "112", "0301234,,55#"]) expect(outside(` ${number} `, [anna])).toBe(number);
    for (const none of ["", "ann", "+", "1", "030+1", "1002", "123456789012345678901"]) expect(outside(none, [anna])).toBeNull();
  });

  test("Enter dials what cannot be an extension", () => {
    for (const number of ["+49", "030", "0301234", "123456", "12 34"]) expect(dialsOutside(outside(number, []))).toBe(true);
    for (const number of ["112", "1002", "12345", "ann"]) expect(dialsOutside(outside(number, []))).toBe(false);
  });

  test("a phone on the desk rings for it", () => {
    expect(ownHindrance({ kind: "sip", number: null, up: true, problem: null }, "ready", en, true)).toBe("");
    expect(ownHindrance({ kind: "none", number: null, up: false, problem: null }, "ready", en, true)).not.toBe("");
  });
});

describe("why a call cannot be made is said in words", () => {
  /** ERR-34 */
  test("a colleague who is offline or not signed in is offline", () => {
    expect(whyNot(person("Anna", "1002", "offline", false), en)).toBe("Anna is offline.");
    expect(whyNot(person("Anna", "1002", "logged_out", false), en)).toBe("Anna is offline.");
    expect(whyNot(person("Anna", "1002", "ringing", false), en)).toBe("Anna: Ringing, cannot be called now");
  });

  // What decides is what the appliance says, not the state.
  test("a busy colleague who may be called can be called", () => {
    expect(whyNot(person("Anna", "1002", "busy", true), en)).toBe("");
  });

  test("a desk phone calls by itself", () => {
    const phone = (kind: "browser" | "sip" | "none", up: boolean) => ownHindrance({ kind, number: null, up, problem: null }, "ready", en);
    expect(phone("sip", true)).toBe("To call a colleague, dial the extension on your phone.");
    expect(phone("none", false)).toBe("You need a phone to call.");
    expect(phone("browser", false)).toBe("Your phone is not connected yet.");
    expect(phone("browser", true)).toBe("");
  });

  test("whoever is offline or rings cannot call, whoever is busy or Not ready can", () => {
    const own = (state: RoutingState) => ownHindrance({ kind: "browser", number: null, up: true, problem: null }, state, en);
    expect(own("offline")).toBe("You are offline. Go back online to call.");
    expect(own("ringing")).toBe("Answer or decline the call that rings first.");
    for (const state of ["ready", "busy", "wrap_up", "not_ready"] as const) expect(own(state)).toBe("");
  });
});
