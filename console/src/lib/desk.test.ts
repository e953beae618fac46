import { describe, expect, test } from "vitest";
import type { ServerEvent, Snapshot, WorkView } from "./api";
import { type Desk, emptyDesk, fold } from "./desk";

const snapshot = {
  me: { name: "Anna", state: { state: "ready", reason: null } },
  offers: [],
  work: [],
  queues: [],
  reasons: [],
  services: [],
  phone: { kind: "browser", up: true, problem: null },
} as unknown as Snapshot;

const welcome = (seq: number, withSnapshot = true): ServerEvent =>
  ({ seq, at: 0, event: "welcome", now: 5_000, ...(withSnapshot ? { snapshot } : {}) }) as ServerEvent;
const banner = (seq: number, code: string) =>
  ({ seq, at: 0, event: "banner", level: "warning", code, params: {} }) as ServerEvent;
const after = (desk: Desk, ...events: ServerEvent[]): Desk =>
  events.reduce<Desk>((d, e) => {
    const next = fold(d, e, 1_000);
    if (next === "gap") throw new Error("gap");
    return next;
  }, desk);

describe("the desk is a fold of the appliance's events", () => {
  test("a welcome shows everything and sets the clock", () => {
    const desk = after(emptyDesk(), welcome(9));
    expect(desk.me?.name).toBe("Anna");
    expect(desk.seq).toBe(9);
    expect(desk.skew).toBe(4_000);
  });

  test("an event after a gap asks for a resync instead of showing half the truth", () => {
    expect(fold(after(emptyDesk(), welcome(9)), banner(11, "x"), 0)).toBe("gap");
  });

  test("an event that was seen before changes nothing", () => {
    const desk = after(emptyDesk(), welcome(9));
    expect(fold(desk, banner(9, "x"), 0)).toBe(desk);
  });

  test("work is replaced in its place, so that rows do not jump", () => {
    const work = (seq: number, interaction: string, muted: boolean) =>
      ({ seq, at: 0, event: "work", work: { interaction, muted } as WorkView }) as ServerEvent;
    const desk = after(emptyDesk(), welcome(0), work(1, "a", false), work(2, "b", false), work(3, "a", true));
    expect(desk.work.map((w) => [w.interaction, w.muted])).toEqual([["a", true], ["b", false]]);
  });

  /** QUAL-01: the warning clears by itself on recovery. */
  test("a quality warning goes when quality is back", () => {
    const desk = after(emptyDesk(), welcome(0), banner(1, "poor_quality"));
    expect(desk.banners).toHaveLength(1);
    expect(after(desk, banner(2, "quality_recovered")).banners).toHaveLength(0);
  });

  /** UI-20, STATE-15 */
  test("why somebody is Not ready is said until they are Ready again", () => {
    const me = (seq: number, state: string) => ({ seq, at: 0, event: "me", agent: { state: { state } } }) as unknown as ServerEvent;
    const missed = after(emptyDesk(), welcome(0), banner(1, "missed_offer"), banner(2, "poor_quality"), me(3, "not_ready"));
    expect(missed.banners).toHaveLength(2);
    expect(after(missed, me(4, "ringing")).banners.map((b) => b.code)).toEqual(["poor_quality"]);
  });

  test("a reconnect without snapshot keeps what is shown", () => {
    const desk = after(emptyDesk(), welcome(3), banner(4, "missed_offer"), welcome(4, false));
    expect(desk.banners[0]?.code).toBe("missed_offer");
    expect(desk.me?.name).toBe("Anna");
  });
});
