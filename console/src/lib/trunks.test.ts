import { expect, test } from "vitest";
import type { TrunkState } from "./api";
import { standing } from "./trunks";
import { en } from "./words/en";

/** SIP-02 */
test("an administrator reads how a trunk stands", () => {
  const of = (state: Partial<TrunkState>) => standing({ trunk: "t", standing: "trying", until: null, status: null, why: null, ...state }, en.trunks);
  expect(of({})).toBe("Registering…");
  expect(of({ standing: "registered", until: 1 })).toBe("Registered");
  expect(of({ standing: "refused", status: 403 })).toBe("Not let in (403): look at user name and password");
  expect(of({ standing: "refused", status: 503 })).toBe("Refused (503)");
  expect(of({ standing: "unreached", why: "no answer" })).toBe("Not reached: no answer");
});
