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
  phone: { kind: "browser", number: null, up: true, problem: null },
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

  test("a page that was away is told what it missed, and then how things stand", () => {
    const desk = after(emptyDesk(), welcome(3), banner(4, "a"), welcome(4, false), banner(5, "missed_offer"), banner(6, "b"), welcome(6));
    expect(desk.banners.map((b) => b.code)).toEqual(["a", "missed_offer", "b"]);
    expect([desk.seq, desk.me?.name]).toEqual([6, "Anna"]);
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

  /** HELP-02: the list of supervisors has who asks now, each agent and interaction once. */
  test("who asks for help is listed until it is over", () => {
    const help = (interaction: string, user: string) => ({ interaction, agent: { user } });
    const asked = (seq: number, interaction: string, user: string) => ({ seq, at: 0, event: "help_asked", help: help(interaction, user) }) as unknown as ServerEvent;
    const desk = after(emptyDesk(), welcome(0), asked(1, "a", "anna"), asked(2, "b", "ben"), asked(3, "a", "anna"));
    expect(desk.help).toEqual([help("a", "anna"), help("b", "ben")]);
    const over = { seq: 4, at: 0, event: "help_over", interaction: "a", agent: "anna" } as ServerEvent;
    expect(after(desk, over).help).toEqual([help("b", "ben")]);
  });

  /** QUAL-01: the warning clears by itself on recovery. */
  test("a quality warning goes when quality is back", () => {
    const desk = after(emptyDesk(), welcome(0), banner(1, "poor_quality"));
    expect(desk.banners).toHaveLength(1);
    expect(after(desk, banner(2, "quality_recovered")).banners).toHaveLength(0);
  });

  /** RECO-04: each warning about an empty channel goes when that channel is heard again. */
  test("a warning about an empty recording goes when there is something to record", () => {
    const desk = after(emptyDesk(), welcome(0), banner(1, "recording_silent"), banner(2, "recording_without_you"));
    const codes = (desk: Desk) => desk.banners.map((b) => b.code);
    expect(codes(after(desk, banner(3, "recording_with_you")))).toEqual(["recording_silent"]);
    expect(codes(after(desk, banner(3, "recording_with_you"), banner(4, "recording_heard")))).toEqual([]);
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

  /** VOICE-05: the administrator's change is seen without a reload. */
  test("the offer window follows the tenant's settings", () => {
    const own = { external: ["number"], internal: ["name"] };
    const desk = after(emptyDesk(), { ...welcome(0), snapshot: { ...snapshot, offer_window: own } } as ServerEvent);
    expect(desk.offer_window).toEqual(own);
    const changed = { external: ["name", "service"], internal: ["extension"] };
    expect(after(desk, { seq: 1, at: 0, event: "settings", offer_window: changed } as ServerEvent).offer_window).toEqual(changed);
  });

  describe("VOICE-08: a colleague's call that was not taken makes nobody Not ready", () => {
    const offered = (seq: number, direction: string) =>
      ({ seq, at: 0, event: "offered", offer: { offer: `offer_${seq}`, direction, colleague: { name: "Anna Berg" } } }) as unknown as ServerEvent;
    const ended = (seq: number, offer: number, why: string) => ({ seq, at: 0, event: "offer_ended", offer: `offer_${offer}`, why }) as ServerEvent;
    const news = (direction: string, code: string) =>
      after(emptyDesk(), welcome(0), offered(1, direction), ended(2, 1, "x"), banner(3, code)).banners.map((b) => [b.code, b.params["name"]]);

    test("missed, the news says who called; declined, there is none", () => {
      expect(news("internal", "missed_offer")).toEqual([["missed_colleague", "Anna Berg"]]);
      expect(news("internal", "offer_unreachable")).toEqual([["colleague_unreachable", "Anna Berg"]]);
      expect(news("internal", "declined_offer")).toEqual([]);
    });

    test("two colleagues who called in vain are two pieces of news, one who called twice is one", () => {
      const missed = (desk: Desk, name: string) => {
        const at = desk.seq + 1;
        const offer = { offer: `offer_${at}`, direction: "internal", colleague: { name } };
        return after(desk, { seq: at, at: 0, event: "offered", offer } as unknown as ServerEvent, ended(at + 1, at, "no_answer"), banner(at + 2, "missed_offer"));
      };
      const desk = ["Anna Berg", "Boris Kim", "Anna Berg"].reduce(missed, after(emptyDesk(), welcome(0)));
      expect(desk.banners.map((b) => b.params["name"])).toEqual(["Boris Kim", "Anna Berg"]);
    });

    test("a call from outside keeps its warning, and so does one after a colleague's", () => {
      expect(news("inbound", "missed_offer")).toEqual([["missed_offer", undefined]]);
      const both = after(
        emptyDesk(), welcome(0), offered(1, "internal"), ended(2, 1, "no_answer"), banner(3, "missed_offer"),
        offered(4, "inbound"), ended(5, 4, "no_answer"), banner(6, "missed_offer"),
      );
      expect(both.banners.map((b) => b.code)).toEqual(["missed_colleague", "missed_offer"]);
    });
  });

  test("two calls are two rows; the one that ends leaves the other as it was", () => {
    const work = (seq: number, interaction: string, phase: string, direction: string) =>
      ({ seq, at: 0, event: "work", work: { interaction, phase, direction } }) as unknown as ServerEvent;
    const two = after(
      emptyDesk(), welcome(0), work(1, "a", "talking", "inbound"), work(2, "b", "dialling", "internal"),
      work(3, "a", "held", "inbound"), work(4, "b", "talking", "internal"),
    );
    expect(two.work.map((w) => [w.interaction, w.phase])).toEqual([["a", "held"], ["b", "talking"]]);
    const one = after(two, { seq: 5, at: 0, event: "work_ended", interaction: "b" } as ServerEvent);
    expect(one.work.map((w) => [w.interaction, w.phase])).toEqual([["a", "held"]]);
  });
});
