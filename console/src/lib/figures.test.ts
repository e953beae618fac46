import { expect, test } from "vitest";
import { percent, roundedWait, story } from "./figures";
import { en } from "./words/en";
import { ru } from "./words/ru";

const period = {
  offered: 12, answered: 9, abandoned: 2, turned_away: 1, overflowed: 0, callbacks: 0, called_back: 0, marks: 0, mean_mark_percent: null, service_level_percent: 66.7, abandoned_percent: 16.7,
  speed_of_answer_s: 14.2, longest_wait_s: 95,
};
/** ROUTE-11: an expected wait is told in steps and never too short; what is not known is not told. */
test("an expected wait is rounded up", () => {
  const told = (seconds: number | null) => roundedWait(seconds, en);
  expect([0, 1, 10, 61, 299, 300, 301].map(told)).toEqual(["none", "≈ 0:10", "≈ 0:10", "≈ 1:10", "≈ 5:00", "≈ 5:00", "≈ 6:00"]);
  expect([told(null), roundedWait(null, ru)]).toEqual(["not known", "неизвестно"]);
});

test("a share of nobody is a dash, and a time is told in a sentence", () => {
  expect([percent(null, en), percent(0, en), percent(66.7, en)]).toEqual(["–", "0 %", "67 %"]);
  expect(story(en.queues.today, period, en)).toBe("Today: 12 callers, 9 answered, 2 left first, 1 turned away; 67 % in time");
  const asked = { ...period, callbacks: 2, called_back: 1 };
  const rated = { ...period, marks: 3, mean_mark_percent: 58.3 };
  expect(story("{offered}.", rated, en)).toBe("12. Marks given: 3, on average 58 % of the best");
  expect(story("{offered}.", asked, en)).toBe("12. Asked to be called back: 2, reached: 1");
});
