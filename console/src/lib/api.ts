// The wire: types of docs/protocols/console.md and the one place that calls REST.
// Rust twins: desk/src/views.rs, control-api/src, model/src.

export type Millis = number;
export type RoutingState = "logged_out" | "ready" | "ringing" | "busy" | "wrap_up" | "not_ready" | "offline";
export type ReasonKind = "login" | "after_interaction" | "declined" | "no_answer" | "connection_lost" | "forced" | "chosen";
export type Role = "agent" | "supervisor" | "administrator";
export type PhoneKind = "browser" | "sip" | "number" | "none";
export type Privilege =
  | "take_interactions"
  | "handle_chats"
  | "handle_emails"
  | "bring_contacts"
  | "call_out"
  | "see_all_records"
  | "supervise"
  | "see_configuration"
  | "administer"
  | "erase_recordings"
  | "block_callers";

export interface Named {
  id: string;
  name: string;
}
export interface StateView {
  state: RoutingState;
  reason: { kind: ReasonKind; id: string | null; name: string } | null;
}
export interface AgentView {
  user: string;
  name: string;
  state: StateView;
  since: Millis;
  after_work: StateView | null;
  can: string[];
  missed_today: number;
  declined_today: number;
  breaks: Breaks;
  /** Null of whom is not signed in. */
  presence: Presence | null;
  /** Chose not to be disturbed, whatever shows of it at the moment. */
  undisturbed: boolean;
}
/** What colleagues see of somebody, apart from routing (STATE-23). */
export type Presence = "available" | "away" | "do_not_disturb" | "on_call";
/** Break time of today (STATE-14). */
export interface Breaks {
  /** In breaks that are over. */
  used_ms: number;
  /** Since when a break lasts. */
  since: Millis | null;
  /** What the team has a day; null is as much as it takes. */
  allowance_ms: number | null;
}
export type Direction = "inbound" | "outbound" | "internal";
/** The other agent of an internal call. */
export interface Colleague {
  user: string;
  name: string;
  extension: string | null;
}
/** A customer's call as whoever asks about it sees it (XFER-02). */
export interface ScreenView {
  /** Who asks. */
  by: string;
  service: Named | null;
  number: string;
  name: string | null;
  noted: Record<string, string>;
  /** Empty before the screen was sent. */
  comment: string;
}
/** A call in which more than two talk, as one of its agents sees it (XFER-08). */
export interface ConferenceView {
  /** Whether this agent may take others out, and end it for all. */
  organiser: boolean;
  parties: PartyView[];
}
export interface PartyView {
  /** The call they came from; none of the customer and of the agent who has the call. */
  from: string | null;
  kind: "customer" | "agent" | "number";
  name: string | null;
  number: string;
  you: boolean;
  organiser: boolean;
}
/** A customer who is called back. */
export interface CallbackView {
  /** What is dialled. */
  number: string;
  attempts: number;
  /** When it is dialled by itself, while the notice is shown. */
  dials_at: Millis | null;
}
export interface OfferView {
  offer: string;
  interaction: string;
  /** None of an internal call. */
  service: Named | null;
  channel: Channel;
  /** The customer asked to be called back (CB-01). */
  callback: CallbackView | null;
  direction: Direction;
  /** Who calls, when it is a colleague. */
  colleague: Colleague | null;
  /** Who passed the customer on (XFER-05). */
  passed_by: string | null;
  /** About whom a colleague asks (XFER-01). */
  about: ScreenView | null;
  caller: string;
  caller_name: string | null;
  contact: string;
  /** What flows noted of the caller, by name (ROUTE-07). */
  noted: Record<string, string>;
  waited_ms: Millis;
  deadline: Millis;
  auto_answer: boolean;
  /** Whether it may be put back for others (LIVE-05); an email is postponed instead. */
  may_put_back: boolean;
}
/** A message of a chat or an email. */
export interface Message {
  /** Its place, from 1 without gaps. */
  number: number;
  at: Millis;
  /** A note is for colleagues; the customer never reads it. */
  author: "customer" | "agent" | "system" | "note";
  /** Of an agent's: who. */
  agent?: string;
  /** Plain text. */
  text: string;
}
export interface StreamStats {
  packets: number;
  octets: number;
  lost: number;
  duplicates: number;
  rejected: number;
  jitter_ms: number;
  jitter_max_ms: number;
  rtt_ms: number | null;
  mos: number | null;
  mos_min: number | null;
}
export interface WorkView {
  interaction: string;
  service: Named | null;
  channel: Channel;
  callback: CallbackView | null;
  direction: Direction;
  /** The other one of an internal call, whoever called. */
  colleague: Colleague | null;
  /** Who passed the customer on (XFER-05). */
  passed_by: string | null;
  /** To whom this agent passed the customer on: a service, a colleague or a number. */
  passed_to: string | null;
  /** Whose record it is part of. */
  record: string;
  /** The call that this agent asks about in it (XFER-01). */
  consults: string | null;
  /** What the one who asks showed of that call (XFER-02). */
  screen: ScreenView | null;
  /** Who else is in it, when more than two are (XFER-08). */
  conference: ConferenceView | null;
  /** Whether this agent called. */
  outgoing: boolean;
  caller: string;
  caller_name: string | null;
  contact: string;
  noted: Record<string, string>;
  phase: "reserved" | "dialling" | "connecting" | "talking" | "held" | "refused" | "wrap_up";
  refused_why: "declined" | "no_answer" | "unreachable" | "busy" | "phone_off" | "barred" | "no_such_number" | "trunks_busy" | null;
  muted: boolean;
  since: Millis;
  answered_at: Millis | null;
  wrap_up: { until: Millis | null; may_continue: boolean } | null;
  disposition: string | null;
  comment: string;
  quality: { poor: boolean; customer: StreamStats; agent: StreamStats } | null;
  recording: boolean;
  /** What is said is left out of the recording; it ends by itself (RECO-04). */
  recording_pause: { since: Millis; until: Millis } | null;
  /** The flow that the caller goes through while the agent waits (CTRL-06). */
  flow: FlowProgress | null;
  /** Supervisors who coach or talk in it; nobody who only listens. */
  attendants: { name: string; how: "coach" | "barge_in" }[];
  /** Since when this agent asks for help with it (HELP-01). */
  help_since: Millis | null;
  digits: string;
  /** Of a chat, text message or email. */
  written: { last_message: number; unanswered_since: Millis | null } | null;
}
export interface FlowProgress {
  flow: string;
  name: string;
  /** Steps so far, the last where the caller is. */
  way: string[];
  /** Something is being entered that is neither shown nor recorded. */
  secret: boolean;
  since: Millis;
}
/** An agent who asks for help, as supervisors see it (HELP-02). */
export interface HelpView {
  interaction: string;
  agent: Colleague;
  since: Millis;
  channel: Channel;
  direction: Direction;
  service: Named | null;
  colleague: Colleague | null;
  caller: string;
  caller_name: string | null;
  contact: string;
}
/** How a supervisor takes part in a call: heard by nobody, by the agent alone, by everybody. */
export type Attending = "monitor" | "coach" | "barge_in";
/** The call in which a supervisor takes part (HELP-03 to HELP-05). */
export interface AttendedView {
  interaction: string;
  agent: Colleague | null;
  service: Named | null;
  direction: Direction;
  caller: string;
  caller_name: string | null;
  contact: string;
  how: Attending;
  /** It is so already. */
  up: boolean;
  held: boolean;
  may_take_over: boolean;
  since: Millis;
}
export interface QueueView {
  service: Named;
  /** Switched on, and within its hours. */
  open: boolean;
  /** New callers meet the emergency treatment (ROUTE-07). */
  emergency: boolean;
  waiting: number;
  /** Customers who are to be called back, in the line or not yet again. */
  callbacks: number;
  longest_since: Millis | null;
  ready_agents: number;
  busy_agents: number;
  agents: number;
  /** Of somebody who calls now; null: nobody is there, or nothing is known yet. */
  expected_wait_s: number | null;
  half_hour: Period;
  /** Since midnight UTC. */
  today: Period;
}
/** What became of those who asked for a service in some time (ROUTE-11). */
export interface Period {
  offered: number;
  answered: number;
  abandoned: number;
  turned_away: number;
  overflowed: number;
  callbacks: number;
  /** Were called back and talked to an agent. */
  called_back: number;
  /** Marks that callers gave, and what they are worth on average: 0 is the lowest of the scale, 100 the highest. */
  marks: number;
  mean_mark_percent: number | null;
  service_level_percent: number | null;
  abandoned_percent: number | null;
  speed_of_answer_s: number | null;
  longest_wait_s: number;
}
export interface PhoneView {
  kind: PhoneKind;
  /** Of a phone outside. */
  number: string | null;
  up: boolean;
  problem: string | null;
}
export interface DispositionView extends Named {
  success: boolean;
  closing: boolean;
}
export interface ServiceView extends Named {
  disposition_mandatory: boolean;
  dispositions: DispositionView[];
  /** Flows that agents may start during its calls (CTRL-06). */
  flows: Named[];
}
export interface ReasonView extends Named {
  icon: string;
}
export type ExternalField = "service" | "channel" | "name" | "number" | "line" | "noted" | "waited";
export type InternalField = "channel" | "name" | "extension" | "waited";
/** What the offer window shows, in this order (VOICE-05). */
export interface OfferFields {
  external: ExternalField[];
  internal: InternalField[];
}
export interface Snapshot {
  me: AgentView;
  offers: OfferView[];
  work: WorkView[];
  /** The own personal queue of emails. */
  personal: TabView;
  queues: QueueView[];
  reasons: ReasonView[];
  phone: PhoneView;
  services: ServiceView[];
  offer_window: OfferFields;
  /** Who asks for help; only supervisors see it. */
  help: HelpView[];
  attending: AttendedView | null;
}
/** What stands at the tab of a queue of emails (MAIL-09). */
export interface TabView {
  count: number;
  /** When the first of them is past its service level. */
  due: Millis | null;
}
/** A row of a queue of emails (MAIL-08). */
export interface WrittenRow {
  interaction: string;
  channel: Channel;
  service: Named;
  name: string | null;
  address: string;
  subject: string;
  category: string;
  since: Millis;
  updated: Millis;
  due: Millis;
  /** Whether it is being offered to an agent. */
  offered: boolean;
  last_message: number;
  /** How it came into the personal queue. */
  assigned: { why: "postponed" | "taken" | "assigned" | "transferred" | "signed_out" | "answered"; by: string | null; at: Millis } | null;
}
export interface WrittenList {
  items: WrittenRow[];
  offset: number;
  total: number;
  /** How far the list can be looked through. */
  listed: number;
  group: TabView;
  personal: TabView;
  services: { service: Named; count: number }[];
}
export interface Banner {
  level: "info" | "warning" | "error";
  code: string;
  params: Record<string, string | number | null>;
}
export type SessionEnd = "elsewhere" | "signed_out" | "by_supervisor" | "expired" | "phone_missing";
export type ServerEvent = { seq: number; at: Millis } & (
  | { event: "welcome"; now: Millis; snapshot?: Snapshot }
  | { event: "me"; agent: AgentView }
  | { event: "offered"; offer: OfferView }
  | { event: "offer_ended"; offer: string; why: string }
  | { event: "work"; work: WorkView }
  | { event: "work_ended"; interaction: string }
  | { event: "help_asked"; help: HelpView }
  | { event: "help_over"; interaction: string; agent: string }
  | { event: "attending"; attended: AttendedView }
  | { event: "attending_over"; interaction: string }
  | { event: "message"; interaction: string; message: Message }
  | { event: "personal"; personal: TabView }
  | { event: "queue"; queue: QueueView }
  | ({ event: "banner" } & Banner)
  | { event: "phone_answer"; sdp: string }
  | { event: "phone_refused"; why: string }
  | { event: "phone"; phone: PhoneView }
  | { event: "settings"; offer_window: OfferFields }
  | { event: "session_ended"; why: SessionEnd }
);

export interface User {
  id: string;
  login: string;
  name: string;
  email: string | null;
  extension: string | null;
  role: Role;
  group: string | null;
  skills: Record<string, number>;
  phone: PhoneKind;
  /** The number outside by which the user can be reached. */
  mobile: string | null;
  /** How many chats at once, instead of what team and tenant say. */
  chats_max: number | null;
  disabled: boolean;
}
/** How a trunk that registers stands with its carrier. */
export interface TrunkState {
  trunk: string;
  standing: "trying" | "registered" | "refused" | "unreached";
  until: Millis | null;
  status: number | null;
  why: string | null;
}
/** Which numbers outside may be called, and how they are dialled here. */
export interface Dialling {
  allow: string[];
  deny: string[];
  others: boolean;
  per_minute: number;
  own_numbers: boolean;
  forms: { begins: string; becomes: string }[];
}
export interface OwnPhone {
  kind: PhoneKind;
  number: string | null;
}
/** By which phone the own user is reached. */
export interface Phones {
  set: OwnPhone;
  /** Chosen instead, from the next sign-in on. */
  own: OwnPhone | null;
  own_numbers: boolean;
}
export interface Session {
  user: User;
  privileges: Privilege[];
  csrf: string;
  expires_at: Millis;
}
export interface ColleagueItem extends Colleague {
  state: RoutingState;
  presence: Presence | null;
  callable: boolean;
  /** The number outside by which they can be reached. */
  mobile: string | null;
}
/** Privileges to be offered a kind of contact: they can be withheld from a role. */
export type Handling = "handle_chats" | "handle_emails";
export type AgentTerm = "most_skilled" | "least_skilled" | "least_loaded" | "longest_idle" | "round_robin";
export type Channel = "voice" | "chat" | "email" | "sms" | "callback" | "campaign";
/** What agents carry at once (ROUTE-01). */
export type Capacity = {
  units: number;
  /** What may come while something else is in hand: sent back as it came. */
  blending: unknown;
} & Record<Channel, { units: number; at_once: number }>;
export interface Tenant {
  name: string;
  offer_window: OfferFields;
  /** The tenant's names for the reasons that the system sets (STATE-13); null is the usual name. */
  system_names: { no_answer: string | null; connection_lost: string | null };
  capacity: Capacity;
  /** Who of several agents who would do is rung first (ROUTE-04). */
  agent_order: AgentTerm[];
  /** Which numbers outside may be dialled: set through the API, and sent back as it came. */
  dialling: Dialling;
  /** What roles may not do although they usually may (CHAT-01). */
  withheld: Partial<Record<Role, Handling[]>>;
  /** How messages for extensions are taken and kept (VM-12). */
  own_voicemail: TakenMessages;
}
/** How messages are taken and kept. */
export interface TakenMessages {
  /** A sound; null: the appliance's own. */
  greeting: string | null;
  length_max_s: number;
  messages_max: number;
  keep_days: number;
}
export type OverflowWhy = "closed" | "unstaffed" | "full" | "waited_long" | "agents_left" | "chosen" | "emergency";
export interface ServiceRecord {
  interaction: string;
  channel: Channel;
  direction: Direction;
  caller: string;
  contact: string;
  caller_name: string | null;
  noted: Record<string, string>;
  /** What the caller answered when flows asked for marks (ROUTE-08). */
  marks: { at: Millis; question: string; given: number; lowest: number; highest: number }[];
  /** Queues that led the caller on (ROUTE-07). */
  overflows: { at: Millis; from: string; why: OverflowWhy; to: string; to_flow: boolean; to_voicemail: boolean }[];
  /** Messages that the caller left (ROUTE-07); `voicemail` is null when one was too short to be kept, or was erased. */
  messages: { at: Millis; service_name: string; voicemail: string | null; spoken_ms: Millis | null; erased_at: Millis | null }[];
  callback: CallbackOfRecord | null;
  /** A flow or an agent connected the customer with a number outside. */
  passed_on: { at: Millis; number: string } | null;
  /** Flows that the agent started for the caller (CTRL-06). */
  flows: { name: string; version: number; agent_name: string; from: Millis; to: Millis | null; end: "returned" | "taken_back" | "failed" | "call_ended" | null }[];
  /** Agents who passed the customer on, in this order (XFER-05). */
  parts: PartOfRecord[];
  /** The record of the call that was asked about in it (XFER-01). */
  consult_of: string | null;
  /** Who was brought into it (XFER-08). */
  guests: { agent: string | null; agent_name: string | null; number: string; by_name: string | null; joined_at: Millis; left_at: Millis | null }[];
  talking_since: Millis | null;
  service: string | null;
  service_name: string | null;
  agent: string | null;
  agent_name: string | null;
  /** Who called, of an internal call; `agent` was called. */
  calling_agent: string | null;
  calling_agent_name: string | null;
  /** As the list shows them (REC-03, REC-04). */
  time: Millis;
  duration_ms: Millis | null;
  arrived_at: Millis;
  queued_at: Millis | null;
  offered_at: Millis | null;
  answered_at: Millis | null;
  ended_at: Millis | null;
  completed_at: Millis | null;
  status: string | null;
  ended_by: "customer" | "agent" | "system" | null;
  disposition: string | null;
  disposition_name: string | null;
  comment: string;
  recording: string | null;
  recording_pauses: { from: Millis; to: Millis | null; by: string | null; by_name: string | null; by_limit: boolean }[];
  /** When nothing came from a party that should have been heard (RECO-04). */
  recording_gaps: { party: "customer" | "agent"; from: Millis; to: Millis | null }[];
  recording_erased: { at: Millis; by: string | null; by_name: string | null; range: { from_ms: Millis; to_ms: Millis } | null }[];
  recording_proof: RecordingProof | null;
  customer_stats: StreamStats | null;
  agent_stats: StreamStats | null;
  holds: number;
  /** Supervisors who took part; only supervisors see it. */
  attended: { supervisor_name: string | null; how: Attending; since: Millis; until: Millis | null }[];
  /** When its agent asked for help (HELP-01). */
  help: { by: string; by_name: string | null; from: Millis; to: Millis | null }[];
  /** When an agent first wrote, of a written contact. */
  first_reply_at: Millis | null;
  customer_messages: number;
  agent_messages: number;
}
/** The part of an agent who passed the customer on. */
export interface PartOfRecord {
  agent: string;
  agent_name: string | null;
  service_name: string | null;
  answered_at: Millis | null;
  ended_at: Millis;
  to: "service" | "agent" | "number";
  to_name: string;
  disposition: string | null;
  disposition_name: string | null;
  comment: string;
  completed_at: Millis | null;
}
/** From the asking to the last attempt (CB-02). */
export interface CallbackOfRecord {
  asked_at: Millis;
  number: string;
  since: Millis;
  attempts: { at: Millis; agent_name: string | null; failed: NonNullable<WorkView["refused_why"]> | null }[];
  over: "attempts" | "expired" | "cancelled" | "called_in" | "impossible" | null;
  cancelled_by: string | null;
  cancelled_by_name: string | null;
}
/** Who played or downloaded a recording (RECO-06). */
export interface RecordingAccess {
  at: Millis;
  by: string | null;
  by_name: string | null;
  address: string | null;
  format: string | null;
}
/** Captured against expected, of each channel (RECO-04). */
export interface ChannelProof {
  expected_ms: Millis;
  captured_ms: Millis;
  expected: number;
  captured: number;
}
export interface RecordingProof {
  verdict: "complete" | "complete_except_pauses" | "incomplete";
  left: ChannelProof;
  right: ChannelProof;
  missing: number;
  paused_ms: Millis;
  damaged_octets: number;
  broken_seals: number;
  seal: string;
}
export interface Peaks {
  length_ms: Millis;
  left: number[];
  right: number[];
}
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** RFC 9457, as the appliance answers a refusal. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: { pointer: string; message: string }[];
}

export class Problem extends Error {
  constructor(readonly body: ProblemBody) {
    super(body.detail ?? body.title);
  }
  /** Last part of the problem's type: `bad-credentials`. */
  get code(): string {
    return this.body.type.split("/").pop() ?? "";
  }
}

const unreachable: ProblemBody = { type: "/problems/unreachable", title: "Cannot reach the server.", status: 0 };

export class Api {
  /** Given at sign-in; goes into every request that changes something. */
  csrf = "";

  async call<T>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
    etag?: string,
  ): Promise<{ value: T; etag: string | null }> {
    const headers: Record<string, string> = {};
    if (method !== "GET") headers["x-csrf"] = this.csrf;
    if (method === "POST") headers["idempotency-key"] = crypto.randomUUID();
    // A file goes as it is, everything else as JSON.
    const file = body instanceof Blob ? body : null;
    if (body !== undefined) headers["content-type"] = file ? file.type : "application/json";
    if (etag) headers["if-match"] = etag;
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) init.body = file ?? JSON.stringify(body);
    let answer: Response;
    try {
      answer = await fetch(`/api/v1${path}`, init);
    } catch {
      throw new Problem(unreachable);
    }
    const text = await answer.text();
    let value: unknown = undefined;
    try {
      value = text ? JSON.parse(text) : undefined;
    } catch {
      // A proxy in between may answer HTML; what counts then is the status.
    }
    if (!answer.ok) {
      const body = value as ProblemBody | undefined;
      throw new Problem(body?.type ? body : { type: "about:blank", title: answer.statusText, status: answer.status });
    }
    return { value: value as T, etag: answer.headers.get("etag") };
  }

  async get<T>(path: string): Promise<T> {
    return (await this.call<T>("GET", path)).value;
  }

  /** Walks all pages of a configuration list; these are short. */
  async all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.get(`${path}?limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
      items.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    return items;
  }
}

/** A live call as supervisors see it; what of it is shown here. */
export interface CallRow {
  interaction: string;
  direction: Direction;
  /** Who is rung or works on it. */
  agent: string | null;
  contact: string;
  caller: string;
  caller_name: string | null;
  service: Named | null;
  phase: string;
  /** Of whom is to be called back and was not reached yet. */
  callback: OpenCallback | null;
}
export interface OpenCallback {
  number: string;
  attempts: number;
  /** Its place in the line is that of this time. */
  since: Millis;
  /** It is not in the line before. */
  held_until: Millis | null;
}
export type Verdict = "eligible" | "ringing" | "handling" | "refused" | "no_room" | "not_ready" | "no_phone" | "not_for_kind" | "away" | "unskilled";
/** Somebody in a queue whom one may pick (LIVE-06). */
export interface WaitingContact {
  interaction: string;
  channel: Channel;
  service: Named;
  caller: string;
  caller_name: string | null;
  contact: string;
  since: Millis;
  /** Why not at this moment; null: it can be picked. */
  not_now: "hands_full" | "state" | null;
}
/** Something that would help a caller who waits. */
export interface Advice {
  kind: "not_ready" | "no_phone" | "not_for_kind" | "at_work" | "refused" | "away" | "lower_level" | "lacks_only" | "next_step";
  agents: number;
  who: Named[];
  asked: string | null;
  instead: string | null;
  at: Millis | null;
  text: string;
}
/** Why a caller waits or is rung for (ROUTE-09). */
export interface Explanation {
  interaction: string;
  at: Millis;
  service: Named | null;
  stage: "waiting" | "ringing" | "talking" | "wrap_up";
  waiting_since: Millis;
  priority: number;
  position: number | null;
  expected_wait_s: number | null;
  step: number;
  steps: number;
  asks_for: string | null;
  next: { at: Millis | null; asks_for: string } | null;
  fitting: number;
  online: number;
  hopeless: boolean;
  agents: { agent: Named; verdict: Verdict; until: Millis | null }[];
  advice: Advice[];
}
