// Figures of a queue as people read them. Pure; the language comes in.

import type { Period } from "./api";
import { clock, fill } from "./format";
import type { Words } from "./words/en";

/** 83 %, or a dash of nobody. */
export function percent(share: number | null, words: Words): string {
  return share === null ? "–" : `${Math.round(share)} ${words.units.percent}`;
}

/** A probable wait: not more exact than it is known. */
export function roundedWait(seconds: number | null, words: Words): string {
  if (seconds === null) return words.queues.unknown;
  // Up to the next ten seconds, from five minutes on to the next minute: nobody is promised too little.
  const step = seconds >= 300 ? 60 : 10;
  return seconds === 0 ? words.queues.atOnce : `≈ ${clock(Math.ceil(seconds / step) * step * 1000)}`;
}

/** What became of callers in a time, as a sentence. */
export function story(text: string, period: Period, words: Words): string {
  const { offered, answered, abandoned, turned_away, callbacks, called_back, marks, service_level_percent } = period;
  const told = fill(text, { offered, answered, abandoned, turnedAway: turned_away, level: percent(service_level_percent, words) });
  // Only where it is offered.
  const back = callbacks + called_back === 0 ? "" : ` ${fill(words.queues.calledBack, { asked: callbacks, reached: called_back })}`;
  const rated = marks === 0 ? "" : ` ${fill(words.queues.marks, { marks, mean: percent(period.mean_mark_percent, words) })}`;
  return told + back + rated;
}
