import { expect, test } from "vitest";
import { allPrivileges, keyState } from "./apikeys";
import { en } from "./words/en";
import { ru } from "./words/ru";

/** API-03: a key shows whether it opens anything. */
test("a key is live until its time or until it is revoked", () => {
  expect(keyState({ expires_at: 10, revoked_at: null }, 9)).toBe("live");
  expect(keyState({ expires_at: 10, revoked_at: null }, 10)).toBe("expired");
  expect(keyState({ expires_at: 10, revoked_at: 5 }, 20)).toBe("revoked");
});

test("every privilege has a name in both languages", () => {
  for (const p of allPrivileges) for (const words of [en, ru]) expect(words.apiKeys.privileges[p]).toBeTruthy();
});
