// Tables that flows look values up in. Rust twin: control-api/src/config/tables.rs.

import type { Millis } from "./api";

export interface TableItem {
  name: string;
  columns: string[];
  phone_keys: boolean;
  rows: number;
  changed_at: Millis;
}

/** What a table may be called that comes from this file: letters, digits, `-` and `_`. */
export function tableName(file: string): string {
  const stem = file.replace(/\.[^.]*$/, "").toLowerCase();
  return stem.replace(/[^a-z0-9_-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64);
}

/** Where a table is imported to. */
export function importPath(name: string, phoneKeys: boolean): string {
  return `/tables/${encodeURIComponent(name)}?phone_keys=${phoneKeys}`;
}
