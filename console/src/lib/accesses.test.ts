import { describe, expect, test } from "vitest";
import { listenings } from "./accesses";

const access = (at: number, by: string, format = "wav") => ({ at, by, by_name: by, address: "192.0.2.1", format });

describe("who listened", () => {
  test("parts that one player asks for are one listening", () => {
    const told = listenings([access(100_000, "sue"), access(99_000, "anna"), access(98_500, "anna"), access(40_000, "anna")]);
    expect(told.map((l) => [l.by, l.at, l.times])).toEqual([["sue", 100_000, 1], ["anna", 99_000, 3]]);
  });

  test("another file, another hour and another person between are told apart", () => {
    const told = listenings([access(9_000_000, "anna", "mp3"), access(9_000_000, "anna"), access(8_900_000, "anna"), access(8_890_000, "sue"), access(8_889_000, "anna")]);
    expect(told.map((l) => l.times)).toEqual([1, 1, 1, 1, 1]);
    expect(listenings([])).toEqual([]);
  });
});
