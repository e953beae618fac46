import { describe, expect, it } from "vitest";
import type { PhoneKind } from "./api";
import { choice, choices } from "./phones";

const set = (kind: PhoneKind, own_numbers = true) => ({ set: { kind, number: null }, own: null, own_numbers });

describe("phones", () => {
  /** CONN-10 */
  it("offers what an agent may have", () => {
    expect(choices(set("browser"))).toEqual(["browser", "number", "none"]);
    expect(choices(set("sip"))).toEqual(["browser", "sip", "number", "none"]);
    expect(choices(set("number", false))).toEqual(["browser", "none"]);
  });
  /** CONN-06, CONN-09 */
  it("keeps a number only where one is dialled", () => {
    expect(choice("set", "030 1")).toBeNull();
    expect(choice("number", " 030 1 ")).toEqual({ kind: "number", number: "030 1" });
    expect(choice("number", " ")).toEqual({ kind: "number", number: null });
    expect(choice("none", "030 1")).toEqual({ kind: "none", number: null });
  });
});
