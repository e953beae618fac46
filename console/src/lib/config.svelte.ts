// One kind of configuration object: its list, and saving or removing one with the check that nobody was faster.

import type { Hours } from "./hours";
import type { Treatment } from "./treatment";
import { Problem, type TakenMessages } from "./api";
import { problemText } from "./problem";
import { signed } from "./session.svelte";
import { Tried } from "./tried.svelte";
import { spoken } from "./words.svelte";

export class ConfigList<T extends { id: string }> {
  items = $state<T[]>([]);
  problem = $state("");

  /** What changes would do. */
  readonly tried = new Tried();

  /** Versions as they were when somebody began to edit: what changed since then must not be overwritten unseen. */
  private versions = new Map<string, string>();

  constructor(readonly path: string) {}

  /** Reads one afresh, to be edited. */
  async begin(id: string): Promise<T | null> {
    this.tried.forget();
    return this.attempt(async () => {
      const { value, etag } = await signed.api.call<T>("GET", `${this.path}/${id}`);
      this.versions.set(id, etag ?? "");
      return value;
    });
  }

  async load(): Promise<void> {
    try {
      this.items = await signed.api.all<T>(this.path);
      this.problem = "";
    } catch (e) {
      this.problem = problemText(e, spoken.words);
    }
  }

  /** Creates when `id` is empty. Says whether it was done; `problem` or `tried` tell why not. */
  async save(item: Omit<T, "id"> & { id?: string }): Promise<T | null> {
    const { id, ...fields } = item;
    return this.attempt(async () => {
      if (!(await this.tried.meant(id ? "PUT" : "POST", id ? `${this.path}/${id}` : this.path, fields))) return null;
      if (!id) return (await signed.api.call<T>("POST", this.path, fields)).value;
      return (await signed.api.call<T>("PUT", `${this.path}/${id}`, fields, this.versions.get(id))).value;
    }, id);
  }

  async remove(id: string): Promise<boolean> {
    const done = await this.attempt(async () => {
      if (!(await this.tried.meant("DELETE", `${this.path}/${id}`))) return false;
      await signed.api.call("DELETE", `${this.path}/${id}`, undefined, this.versions.get(id));
      return true;
    }, id);
    return done === true;
  }

  private async attempt<R>(act: () => Promise<R>, id = ""): Promise<R | null> {
    try {
      const done = await act();
      await this.load();
      if (done) this.tried.forget();
      return done;
    } catch (e) {
      // Now that it was said, a second try is meant: it goes against the version there is now.
      if (id && e instanceof Problem && e.body.status === 412) await this.begin(id);
      this.problem = problemText(e, spoken.words);
      return null;
    }
  }
}

export interface Skill {
  id: string;
  name: string;
}
export interface GroupItem {
  id: string;
  name: string;
  rules: GroupRules;
}
export interface GroupRules {
  after_login: "ready" | "not_ready";
  wrap_up: boolean;
  wrap_up_ms: number | null;
  wrap_up_continue: boolean;
  after_interaction: "ready" | "not_ready";
  not_ready_on_refusal: boolean;
  break_minutes: number | null;
  put_back: boolean;
  auto_answer: boolean;
  /** Instead of what the tenant says: set through the API, and sent back as it came. */
  capacity: unknown;
}
export interface ReasonItem {
  id: string;
  name: string;
  icon: string;
  ends_after_minutes: number | null;
  is_break: boolean;
  call_out: boolean;
}
export interface NumberItem {
  id: string;
  digits: string;
  service: string;
  flow: string | null;
}
export interface TrunkItem {
  id: string;
  name: string;
  addresses: string[];
  username: string | null;
  target: string | null;
  account: string | null;
  /** We register there, so that calls come to us. */
  registers: boolean;
  calls_max: number;
  srtp: "accept" | "require" | "never";
}
export interface FlowItem {
  id: string;
  name: string;
  /** The newest text. */
  text: string | null;
  /** The version that callers go through. */
  active: number | null;
  versions: { number: number; text: string }[];
  /** Why callers do not go through it. */
  problem: string | null;
}
export type SkillExpr = "any" | { at_least: { skill: string; level: number } } | Record<string, unknown>;
/** As the appliance tells it both `who` and `who_text` are there; one of them is enough for the appliance. */
export interface RequirementStep {
  who?: SkillExpr;
  who_text?: string;
  lasts_ms: number | null;
}
/** Kinds of contact with which customers come to a service. */
export const incoming = ["voice", "chat", "email", "sms"] as const;
export type Incoming = (typeof incoming)[number];
/** When customers who write are turned away. */
export const farewells = ["closed", "unstaffed", "full"] as const;
export type Farewell = (typeof farewells)[number];
export interface ServiceItem {
  id: string;
  name: string;
  requirement: { mode: "replace" | "cumulative"; steps: RequirementStep[] };
  queue: {
    /** Kinds of contact that come to it. */
    takes: Incoming[];
    priority: number;
    priority_second: number;
    order: "ageing" | "deadline" | "slopes";
    late: "first" | "last";
    slope_percent: number;
    ring: "one" | "several" | "all";
    ring_agents: number;
    ring_time_ms: number;
    waiting_max: number;
    wait_time_max_ms: number | null;
    service_level_ms: number;
    short_abandons: "count" | "leave_out" | "count_as_met";
    short_abandon_after_ms: number;
    refusal_cooldown_ms: number;
    when_unstaffed: Treatment;
    when_closed: Treatment;
    when_full: Treatment;
    when_waited_long: Treatment;
    /** Null: as `when_unstaffed`. */
    when_agents_left: Treatment | null;
    waiting: {
      greeting: string | null;
      position: boolean;
      expected_wait: boolean;
      comfort: string[];
      first_after_s: number;
      every_s: number;
      flow: string | null;
    };
    voicemail: TakenMessages;
    callback: {
      offer_after_s: number | null;
      offer_from_min: number | null;
      open_max: number;
      attempts_max: number;
      pause_s: number;
      ring_s: number;
      keep_h: number;
    };
    /** Whether customers who come again are held for the agent who served them last. */
    regulars: { within_days: number; hold_s: number; ahead_s: number } | null;
    hours: Hours | null;
    emergency: boolean;
    when_emergency: Treatment;
    /** What customers who write read in these cases; empty: the usual words. */
    farewells: Record<Farewell, { en: string; ru: string }>;
  };
  disposition_mandatory: boolean;
  record: boolean;
  recording: { pause_max_ms: number; keep_days: number | null };
  open: boolean;
}
export interface DispositionItem {
  id: string;
  service: string;
  name: string;
  success: boolean;
  closing: boolean;
}

export const newService = (): Omit<ServiceItem, "id"> => ({
  name: "",
  requirement: { mode: "replace", steps: [{ who: "any", lasts_ms: null }] },
  queue: {
    takes: [...incoming],
    priority: 0,
    priority_second: 60,
    order: "ageing",
    late: "first",
    slope_percent: 100,
    ring: "one",
    ring_agents: 3,
    ring_time_ms: 20_000,
    waiting_max: 500,
    wait_time_max_ms: null,
    service_level_ms: 20_000,
    short_abandons: "count",
    short_abandon_after_ms: 5_000,
    refusal_cooldown_ms: 60_000,
    when_unstaffed: "announce",
    when_closed: "announce",
    when_full: "announce",
    when_waited_long: "announce",
    when_agents_left: null,
    waiting: { greeting: null, position: false, expected_wait: false, comfort: [], first_after_s: 20, every_s: 60, flow: null },
    callback: { offer_after_s: null, offer_from_min: null, open_max: 50, attempts_max: 3, pause_s: 300, ring_s: 30, keep_h: 12 },
    regulars: null,
    voicemail: { greeting: null, length_max_s: 180, messages_max: 100, keep_days: 90 },
    hours: null,
    emergency: false,
    when_emergency: "announce",
    farewells: { closed: { en: "", ru: "" }, unstaffed: { en: "", ru: "" }, full: { en: "", ru: "" } },
  },
  disposition_mandatory: false,
  record: true,
  recording: { pause_max_ms: 300_000, keep_days: null },
  open: true,
});
