// QUAL-04: the page's log is bounded, comes back after a reload, and its part nearest a fault can be taken out.
import { describe, expect, it } from "vitest";
import { eventLine, PageLog } from "./log";

const MINUTE = 60_000;

describe("the page's log", () => {
  it("gives the lines of a time", () => {
    const log = new PageLog();
    log.add(0, "connection: up");
    log.add(5 * MINUTE, "phone: failed\nagain");
    log.add(20 * MINUTE, "phone: connected");
    expect(log.text(MINUTE, 20 * MINUTE)).toBe("1970-01-01T00:05:00.000Z phone: failed again\n1970-01-01T00:20:00.000Z phone: connected\n");
    expect(log.text(MINUTE, 2 * MINUTE)).toBe("");
  });
  it("is cut to its end where it is too long to be sent, at the beginning of a line", () => {
    const log = new PageLog();
    for (let i = 0; i < 1_000; i++) log.add(i, `${i} ${"x".repeat(400)}`);
    const text = log.text(0, 1_000);
    expect(text.length).toBeLessThanOrEqual(80_000);
    expect(text).toMatch(/^1970-01-01T00:00:00\.\d{3}Z \d+ x{290,}/);
    expect(text.trimEnd().split("\n").at(-1)).toMatch(/Z 999 x/);
  });
  it("keeps once what is said again and again", () => {
    const log = new PageLog();
    for (let i = 0; i < 3; i++) log.add(i, "event: work");
    expect(log.text(0, 9).trimEnd().split("\n").length).toBe(1);
  });
  it("notes of an event which it is, and nothing of who calls", () => {
    const work = { interaction: "interaction_1", phase: "talking", caller: "+49301", caller_name: "Mara Lind", comment: "x" };
    expect(eventLine({ event: "work", work } as { event: string })).toBe("event: work interaction_1 talking");
    expect(eventLine({ event: "offer_ended", why: "missed" } as { event: string })).toBe("event: offer_ended missed");
  });
  it("keeps so many lines", () => {
    const log = new PageLog();
    for (let i = 0; i < 4_100; i++) log.add(i, `${i}`);
    expect(log.text(0, 99)).toBe("");
    expect(log.text(100, 100)).toContain(" 100\n");
  });
  it("shows quarters of an hour, the newest first", () => {
    const log = new PageLog();
    for (const at of [0, MINUTE, 16 * MINUTE]) log.add(at, `x ${at}`);
    expect(log.pieces().map(({ from, lines }) => [from, lines])).toEqual([[15 * MINUTE, 1], [0, 2]]);
  });
  it("comes back after a reload, and not from what is none", () => {
    const log = new PageLog();
    log.add(7, "one");
    expect(new PageLog(log.kept()).text(0, 9)).toBe(log.text(0, 9));
    for (const kept of [null, "", "{", "5", "[[1],[\"a\",2],null]"]) expect(new PageLog(kept).text(0, 9)).toBe("");
  });
});
