import { expect, test } from "vitest";
import type { ServiceView, WorkView } from "./api";
import { startable, wayOf } from "./callflow";

const pay = { id: "flow_1", name: "Card payment" };
const services = [
  { id: "service_1", name: "Hotline", disposition_mandatory: false, dispositions: [], flows: [pay] },
  { id: "service_2", name: "Sales", disposition_mandatory: false, dispositions: [], flows: [] },
] as ServiceView[];
const work = (change: Partial<WorkView>) =>
  ({ phase: "talking", service: { id: "service_1", name: "Hotline" }, flow: null, written: null, ...change }) as WorkView;

test("flows of the call's service can be started while somebody talks, one at a time", () => {
  expect(startable(work({}), services)).toEqual([pay]);
  expect(startable(work({ phase: "held" }), services)).toEqual([pay]);
  expect(startable(work({ phase: "wrap_up" }), services)).toEqual([]);
  expect(startable(work({ service: { id: "service_2", name: "Sales" } }), services)).toEqual([]);
  expect(startable(work({ service: null }), services)).toEqual([]);
  expect(startable(work({ flow: { flow: "flow_1", name: "Card payment", way: [], secret: false, since: 0 } }), services)).toEqual([]);
});

test("the way is read as words, and stays short", () => {
  expect(wayOf(["card-number", "read_back"])).toBe("Card number › Read back");
  expect(wayOf(["a", "b", "c", "d", "e", "f", "g"])).toBe("… › B › C › D › E › F › G");
});
