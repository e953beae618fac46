import { expect, test } from "vitest";
import { explained, selection, whoMeet, written, type Checked, type TextProblem } from "./requirement";
import { en } from "./words/en";
import { ru } from "./words/ru";

const problem = (over: Partial<TextProblem>): TextProblem => ({
  at: 0, length: 0, line: 1, column: 1, code: "unknown", params: {}, message: "as the appliance says it", shown: "\n^", ...over,
});

test("a name that is not one plain word stands in quotes", () => {
  expect(["german", "русский", "a.b@c-d", "Night shift", "Not", 'say "no" \\', "-x", ""].map(written)).toEqual([
    "german", "русский", "a.b@c-d", '"Night shift"', '"Not"', '"say \\"no\\" \\\\"', '"-x"', '""',
  ]);
});

test("the place of an error is found behind letters of several octets", () => {
  const text = "русский or 😀x and germn";
  const at = new TextEncoder().encode("русский or 😀x and ").length;
  const [from, to] = selection(text, problem({ at, length: 5 }));
  expect(text.slice(from, to)).toBe("germn");
  expect(selection(text, problem({ at: at + 5, length: 0 }))).toEqual([text.length, text.length]);
});

test("an error is told with its place and what to write, in the language of the page", () => {
  const unknown = problem({ line: 2, column: 4, params: { kind: "skill", name: "germn", instead: "german" } });
  expect(explained(unknown, en)).toBe("Line 2, column 4: there is no skill “germn”. Did you mean german?");
  expect(explained(unknown, ru)).toBe("Строка 2, позиция 4: навыка «germn» нет. Возможно, имелось в виду: german");
  const ends = problem({ code: "expected", params: { expected: "level", found: "" } });
  expect(explained(ends, en)).toBe("Line 1, column 1: the text ends, but a level from 1 to 10 is needed here.");
  const compared = problem({ code: "comparison", params: { found: "<", instead: "german and not german >= 7" } });
  expect(explained(compared, en)).toContain("Write: german and not german >= 7");
});

test("what this page has no words for is told in the appliance's", () => {
  expect(explained(problem({ code: "new_one" }), ru)).toBe("Строка 1, позиция 1: as the appliance says it");
});

test("every reason and place the appliance names has words", () => {
  const codes = ["too_long", "too_many_terms", "too_deep", "expected", "unknown", "ambiguous", "level", "comparison", "sign", "open_quote", "escape", "not_an_id"];
  for (const code of codes) expect(en.requirement.reasons, code).toHaveProperty(code);
  for (const what of ["condition", "operator", "close", "comma", "open", "skill", "group", "agent", "level"]) expect(en.requirement.expected).toHaveProperty(what);
  for (const kind of ["skill", "group", "agent"]) expect(en.requirement.kinds).toHaveProperty(kind);
});

test("who meets it is counted, the first are named", () => {
  const checked = (agents: number): Checked => ({
    valid: true, problem: null, who_text: "any", agents,
    who_meet: Array.from({ length: agents }, (_, n) => ({ name: `A${n}`, login: `a${n}`, id: `user_${n}` })),
  });
  expect(whoMeet(checked(0), en)).toBe(en.requirement.nobody);
  expect(whoMeet(checked(2), en)).toBe("Agents who meet it now: 2 (A0, A1).");
  expect(whoMeet(checked(8), en)).toBe("Agents who meet it now: 8 (A0, A1, A2, A3, A4, A5, …).");
});
