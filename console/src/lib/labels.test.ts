import { expect, test } from "vitest";
import type { StateView } from "./api";
import { stateLabel } from "./labels";
import { en } from "./words/en";
import { ru } from "./words/ru";

const notReady = (kind: string, id: string | null, name: string) =>
  ({ state: "not_ready", reason: { kind, id, name } }) as StateView;

test("the appliance's own reasons are said in the page's language, the tenant's as the tenant wrote them", () => {
  expect(stateLabel(notReady("no_answer", null, "No answer"), ru)).toBe("Не готов · Не отвечает");
  expect(stateLabel(notReady("chosen", "reason_1", "Lunch"), ru)).toBe("Не готов · Lunch");
  expect(stateLabel({ state: "busy", reason: null }, en)).toBe("Busy");
});

test("Not ready by hand without a reason needs no second word", () => {
  expect(stateLabel(notReady("chosen", null, "Not ready"), en)).toBe("Not ready");
});

/** STATE-13: the two reasons that the system sets are read as the tenant named them. */
test("a tenant's own name for a state that the system sets is shown", () => {
  expect(stateLabel(notReady("no_answer", null, "Did not pick up"), ru)).toBe("Не готов · Did not pick up");
  expect(stateLabel(notReady("connection_lost", null, "Line down"), en)).toBe("Not ready · Line down");
  expect(stateLabel(notReady("connection_lost", null, "Connection lost"), ru)).toBe("Не готов · Потеря связи");
});
