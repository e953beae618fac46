import { expect, test } from "vitest";
import { chosen, treatmentOf, type Treatment } from "./treatment";

/** ROUTE-07: every treatment can be chosen from a list, and comes back as it was. */
test("a choice means what was chosen", () => {
  const all: (Treatment | null)[] = ["announce", "reject", "queue", "voicemail", { service: "service_1" }, { flow: "flow_1" }, null];
  for (const treatment of all) expect(treatmentOf(chosen(treatment))).toEqual(treatment);
  expect(treatmentOf("service:")).toBeNull();
});
