// The page of emails that wait: pure, so that a test can hold the clock still (MAIL-07 to MAIL-15).

import type { Millis, TabView, WrittenList, WrittenRow } from "./api";

export type QueueOf = "group" | "personal";
export const sorts = ["due", "arrived", "updated", "sender", "subject"] as const;
export type Sort = (typeof sorts)[number];

export interface Wanted {
  queue: QueueOf;
  /** Only of this service; empty: of all. */
  service: string;
  sort: Sort;
  descending: boolean;
  offset: number;
}

/** Rows of one page. */
export const PAGE = 100;

export const usual = (): Wanted => ({ queue: "group", service: "", sort: "due", descending: false, offset: 0 });

/** The question to the appliance. */
export function query({ queue, service, sort, descending, offset }: Wanted): string {
  const asked = new URLSearchParams({ queue, sort, descending: String(descending), offset: String(offset) });
  if (service) asked.set("service", service);
  return `/written?${asked}`;
}

/** How full the bar of a row is, from 0 to 1: full when its service level is over (MAIL-09). */
export function filled(row: Pick<WrittenRow, "since" | "due">, now: Millis): number {
  const whole = row.due - row.since;
  return whole <= 0 ? 1 : Math.min(1, Math.max(0, (now - row.since) / whole));
}

/** Whether any email of a queue is past its service level. */
export const late = (tab: TabView, now: Millis): boolean => tab.due !== null && tab.due <= now;

/** First and last row of the page, from 1; nothing of an empty list. */
export function range(list: Pick<WrittenList, "items" | "offset">): { from: number; to: number } | null {
  return list.items.length === 0 ? null : { from: list.offset + 1, to: list.offset + list.items.length };
}

/** Where the page before and the page after begin, when there are any. */
export function turns(list: Pick<WrittenList, "offset" | "listed">): { back: number | null; on: number | null } {
  const on = list.offset + PAGE;
  return { back: list.offset > 0 ? Math.max(0, list.offset - PAGE) : null, on: on < list.listed ? on : null };
}
