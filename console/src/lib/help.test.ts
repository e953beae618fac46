import { expect, test } from "vitest";
import type { HelpView } from "./api";
import { helpText } from "./help";
import { en } from "./words/en";
import { ru } from "./words/ru";

const help: HelpView = {
  interaction: "interaction_1",
  agent: { user: "user_1", name: "Anna", extension: "1001" },
  since: 1,
  channel: "voice",
  direction: "inbound",
  service: { id: "service_1", name: "Support" },
  colleague: null,
  caller: "+4930123456",
  caller_name: "Erika Muster",
  contact: "100",
};

/** HELP-02: the notice names agent and interaction. */
test("the notice says who asks and with whom", () => {
  expect(helpText(help, en)).toBe("Anna asks for help with Erika Muster · Support");
  expect(helpText(help, ru)).toContain("Anna");
  const inside = { ...help, direction: "internal" as const, service: null, colleague: { user: "user_2", name: "Ben", extension: null } };
  expect(helpText(inside, en)).toBe("Anna asks for help with Ben");
});
