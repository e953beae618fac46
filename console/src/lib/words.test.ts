import { expect, test } from "vitest";
import { en } from "./words/en";
import { ru } from "./words/ru";

type Tree = { [key: string]: string | Tree };
const leaves = (tree: Tree, path = ""): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[`${path}${key}`, value] as [string, string]] : leaves(value, `${path}${key}.`),
  );
const braces = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
const russian = new Map(leaves(ru));

test("every text exists in Russian, is not empty, and fills the same values in", () => {
  for (const [key, text] of leaves(en)) {
    expect(russian.get(key), key).toBeTruthy();
    expect(braces(russian.get(key) ?? ""), key).toEqual(braces(text));
  }
  expect(russian.size).toBe(leaves(en).length);
});

test("what stands in Russian is Russian", () => {
  const same = leaves(en).filter(([key, text]) => russian.get(key) === text).map(([key]) => key);
  expect(same).toEqual(["app.name", "language.en", "language.ru", "quality.mos", "units.percent"]);
});
