// What the page shows, as a fold of the appliance's events. No I/O here, so that a test can play any day.

import type { AgentView, AttendedView, Banner, HelpView, OfferFields, OfferView, PhoneView, QueueView, ServerEvent, Snapshot, TabView, WorkView } from "./api";
import { AWAY, news } from "./news";
import { usualFields } from "./offer";

export interface Desk {
  seq: number;
  /** Appliance clock minus ours, so that timers agree with the server. */
  skew: number;
  me: AgentView | null;
  offers: OfferView[];
  work: WorkView[];
  /** Who asks for help, for supervisors; the newest is the last. */
  help: HelpView[];
  /** The call in which a supervisor takes part. */
  attending: AttendedView | null;
  /** The own personal queue of emails. */
  personal: TabView;
  queues: QueueView[];
  reasons: Snapshot["reasons"];
  services: Snapshot["services"];
  offer_window: OfferFields;
  phone: PhoneView;
  /** The offer that ended last: a banner that follows is about it. */
  over: OfferView | null;
  banners: (Banner & { key: number })[];
}

export const emptyDesk = (): Desk => ({
  seq: 0,
  skew: 0,
  me: null,
  offers: [],
  work: [],
  help: [],
  attending: null,
  personal: { count: 0, due: null },
  queues: [],
  reasons: [],
  services: [],
  offer_window: usualFields(),
  over: null,
  phone: { kind: "none", number: null, up: false, problem: null },
  banners: [],
});

/** Banners that stay until closed; the oldest goes when there are more. */
const BANNERS_MAX = 4;
/** Good news that takes a warning away, about the same person. */
const RECOVERS: Record<string, string> = {
  quality_recovered: "poor_quality",
  recording_heard: "recording_silent",
  recording_with_you: "recording_without_you",
  recording_heard_of: "recording_silent_of",
};

const put = <T>(list: T[], item: T, same: (a: T) => boolean): T[] => {
  const at = list.findIndex(same);
  return at < 0 ? [...list, item] : list.map((old, i) => (i === at ? item : old));
};

/** The desk after an event, or "gap" when an event before it was missed. */
export function fold(desk: Desk, event: ServerEvent, now: number): Desk | "gap" {
  if (event.event === "welcome") {
    const fresh = event.snapshot ? { ...emptyDesk(), ...event.snapshot, banners: desk.banners } : desk;
    return { ...fresh, seq: event.seq, skew: event.now - now };
  }
  if (event.seq <= desk.seq) return desk;
  if (event.seq !== desk.seq + 1) return "gap";
  return { ...desk, seq: event.seq, ...change(desk, event) };
}

function change(desk: Desk, event: Exclude<ServerEvent, { event: "welcome" }>): Partial<Desk> {
  switch (event.event) {
    case "me":
      // Whoever left Not ready has read why they were in it. A waiting call rings at once: there may be no Ready in between.
      if (desk.me?.state.state !== "not_ready" || event.agent.state.state === "not_ready") return { me: event.agent };
      return { me: event.agent, banners: desk.banners.filter((b) => !AWAY.includes(b.code)) };
    case "offered":
      return { offers: put(desk.offers, event.offer, (o) => o.offer === event.offer.offer) };
    case "offer_ended":
      return { offers: desk.offers.filter((o) => o.offer !== event.offer), over: desk.offers.find((o) => o.offer === event.offer) ?? null };
    case "work":
      return { work: put(desk.work, event.work, (w) => w.interaction === event.work.interaction) };
    case "work_ended":
      return { work: desk.work.filter((w) => w.interaction !== event.interaction) };
    case "help_asked":
      return { help: put(desk.help, event.help, (h) => h.interaction === event.help.interaction && h.agent.user === event.help.agent.user) };
    case "help_over":
      return { help: desk.help.filter((h) => h.interaction !== event.interaction || h.agent.user !== event.agent) };
    case "attending":
      return { attending: event.attended };
    case "attending_over":
      return { attending: null };
    case "personal":
      return { personal: event.personal };
    case "queue":
      return { queues: put(desk.queues, event.queue, (q) => q.service.id === event.queue.service.id) };
    case "phone":
      return { phone: event.phone };
    case "settings":
      return { offer_window: event.offer_window };
    case "banner": {
      const notice = news(event, desk.over);
      if (!notice) return {};
      const { level, code, params } = notice;
      // Two colleagues who called in vain are two pieces of news.
      const same = (b: Banner) => b.code === code && b.params["name"] === params["name"];
      // Recovery takes the warning away and needs no words of its own (QUAL-01 clears by itself).
      const over = RECOVERS[code];
      if (over) return { banners: desk.banners.filter((b) => b.code !== over || b.params["name"] !== params["name"]) };
      return { banners: [...desk.banners.filter((b) => !same(b)), { level, code, params, key: event.seq }].slice(-BANNERS_MAX) };
    }
    default:
      return {};
  }
}
