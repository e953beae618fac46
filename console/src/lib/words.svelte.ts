// Which language is spoken, remembered on this computer.

export { fill } from "./format";
import { en, type Words } from "./words/en";
import { ru } from "./words/ru";

export type Language = "en" | "ru";
const all: Record<Language, Words> = { en, ru };

function initial(): Language {
  const kept = localStorage.getItem("language");
  if (kept === "en" || kept === "ru") return kept;
  return navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
}

/** Twenty-four hours: a log is read, not spoken. */
const time = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

class Spoken {
  language = $state<Language>(initial());
  words = $derived(all[this.language]);

  set(language: Language) {
    this.language = language;
    localStorage.setItem("language", language);
    document.documentElement.lang = language;
  }
  time(ms: number): string {
    return new Intl.DateTimeFormat(this.language, time).format(ms);
  }
  dateTime(ms: number): string {
    return new Intl.DateTimeFormat(this.language, { day: "numeric", month: "short", ...time }).format(ms);
  }
}

export const spoken = new Spoken();
