import { expect, test } from "vitest";
import { importPath, tableName } from "./tables";

test("a table is named after its file, as far as a name may be", () => {
  expect(tableName("Post Codes (2026).csv")).toBe("post-codes-2026");
  expect(tableName("customers.v2.csv")).toBe("customers-v2");
  expect(tableName("Клиенты.csv")).toBe("");
  expect(tableName("x".repeat(99) + ".csv")).toHaveLength(64);
});

test("a name stays one part of the address", () => {
  expect(importPath("codes", false)).toBe("/tables/codes?phone_keys=false");
  expect(importPath("a/b?c", true)).toBe("/tables/a%2Fb%3Fc?phone_keys=true");
});
