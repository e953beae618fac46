// One signed-in person: ties connection, desk, softphone and ring together. Components read it and call its methods.

import { Api, Problem, type Attending, type OfferView, type Privilege, type ServerEvent, type Session, type SessionEnd, type WorkView } from "./api";
import { Answers } from "./answers";
import { inOrder, isWritten } from "./chats";
import { Chats } from "./chats.svelte";
import { Connection } from "./connection";
import { canBePassed, customerOf, othersToo } from "./consult";
import { type Desk, emptyDesk, fold } from "./desk";
import { helpText } from "./help";
import { nameOf } from "./offer";
import { eventLine } from "./log";
import { note } from "./pagelog";
import { type PhoneProblem, Softphone } from "./phone";
import { Ring } from "./ring";
import { sound, type SoundKind } from "./sound.svelte";
import type { Target } from "./transfer";
import { spoken } from "./words.svelte";

/** What people do at a page. */
const ACTS = ["pointerdown", "keydown"] as const;
/** The appliance is told at most this often: it takes nobody for away before many times as long. */
const STIRRED_MS = 60_000;

class Signed {
  api = new Api();
  chats = new Chats(this.api);
  answers = new Answers(this.api, this.chats);
  session = $state<Session | null>(null);
  desk = $state.raw<Desk>(emptyDesk());
  /** Whether the socket is open. */
  online = $state(false);
  phoneProblem = $state<PhoneProblem | null>(null);
  phoneRefused = $state<string | null>(null);
  ended = $state<SessionEnd | "replaced" | null>(null);
  /** A refusal of the last command, shown until the next one. */
  refusal = $state<Problem | null>(null);
  /** The row whose controls are shown. */
  chosen = $state<string | null>(null);

  /** The call whose window for passing it on is open. */
  transferring = $state<string | null>(null);
  /** The call about which somebody is to be asked: the window for that is open. */
  consulting = $state<string | null>(null);
  /** Of several held customers the one whom it is about; empty until one is chosen. */
  customer = $state("");

  /** Remarks being typed, by interaction: they belong to the page until they are saved. */
  private drafts = new Map<string, { comment: string; timer: ReturnType<typeof setTimeout> }>();
  /** Chats that were accepted without being opened: they leave the focus where it is (CHAT-04). */
  private aside = new Set<string>();
  private resyncing = false;
  private connection: Connection | null = null;
  private softphone: Softphone | null = null;
  private ring = new Ring();
  private notice: Notification | null = null;
  /** When the appliance was last told that somebody is there. */
  private stirredAt = 0;

  work = $derived<WorkView | null>(
    this.desk.work.find((w) => w.interaction === this.chosen) ?? inOrder(this.desk.work)[0] ?? null,
  );

  may(privilege: Privilege): boolean {
    return this.session?.privileges.includes(privilege) ?? false;
  }

  /** Comes back after a reload: the cookie may still be good. */
  async resume(): Promise<boolean> {
    try {
      this.begin(await this.api.get<Session>("/session"));
      return true;
    } catch {
      return false;
    }
  }

  async signIn(login: string, password: string, force: boolean): Promise<void> {
    this.ring.unlock();
    this.begin((await this.api.call<Session>("POST", "/session", { login, password, force })).value);
  }

  async signOut(force: boolean): Promise<void> {
    await this.api.call("DELETE", `/session${force ? "?force=true" : ""}`);
    this.end("signed_out");
  }

  private begin(session: Session) {
    this.ring.unlockByGesture();
    this.api.csrf = session.csrf;
    this.session = session;
    this.ended = null;
    this.desk = emptyDesk();
    this.connection = new Connection(session.csrf, () => this.desk.seq, {
      event: (e) => this.receive(e),
      up: () => (note("connection: up"), (this.online = true)),
      down: () => (note("connection: down"), (this.online = false)),
      replaced: () => this.end("replaced"),
      refused: () => void this.api.get("/session").catch((e: Problem) => e.body.status === 401 && this.end("expired")),
    });
    this.connection.open();
    window.addEventListener("online", this.networkIsBack);
    for (const act of ACTS) window.addEventListener(act, this.stirred, { capture: true, passive: true });
  }

  private networkIsBack = () => this.connection?.again();

  /** Somebody is there: said when it was not known, and else once in a while (STATE-24). */
  private stirred = () => {
    const away = this.desk.me?.presence === "away";
    if (!this.online || (!away && Date.now() - this.stirredAt < STIRRED_MS)) return;
    this.stirredAt = Date.now();
    void this.connection?.send("active", {}).catch(() => undefined);
  };

  private end(why: SessionEnd | "replaced") {
    this.chats.forget();
    window.removeEventListener("online", this.networkIsBack);
    for (const act of ACTS) window.removeEventListener(act, this.stirred, { capture: true });
    this.connection?.close();
    this.softphone?.close();
    this.ring.stop();
    this.notice?.close();
    this.connection = null;
    this.softphone = null;
    this.session = null;
    this.online = false;
    this.desk = emptyDesk();
    this.refusal = null;
    this.phoneProblem = null;
    this.phoneRefused = null;
    this.ended = why;
    this.mark(null);
  }

  private receive(event: ServerEvent) {
    // Queues and figures come every second or two and say nothing of this page.
    if (event.event !== "queue") note(eventLine(event));
    if (event.event === "session_ended") return this.end(event.why);
    const next = fold(this.desk, event, Date.now());
    if (next === "gap") {
      if (this.resyncing) return;
      this.resyncing = true;
      void this.send("resync").then(() => (this.resyncing = false));
      return;
    }
    const before = this.desk;
    this.desk = next;
    if (event.event === "welcome" && event.snapshot) this.welcomed();
    if (event.event === "phone_answer") void this.softphone?.answer(event.sdp).then(() => (this.phoneRefused = null));
    if (event.event === "phone_refused") this.phoneRefused = event.why;
    if (event.event === "offered") {
      this.announce(event.offer);
      if (this.speaking()) this.ring.knock();
    }
    if (event.event === "help_asked") this.notify(spoken.words.help.title, helpText(event.help, spoken.words), `${event.help.interaction} ${event.help.agent.user}`);
    if (event.event === "message") this.chats.receive(event.interaction, event.message);
    if (event.event === "welcome" || event.event === "work" || event.event === "work_ended") {
      const written = next.work.filter(isWritten);
      this.chats.keep(written.map((w) => ({ interaction: w.interaction, last: w.written?.last_message ?? 0 })));
    }
    if (event.event === "work" && !before.work.some((w) => w.interaction === event.work.interaction)) {
      if (!this.aside.delete(event.work.interaction)) this.chosen = event.work.interaction;
    }
    this.attend();
  }

  /** After sign-in, reload or reconnect: the softphone is negotiated anew; a running call goes on over it. */
  private welcomed() {
    if (this.desk.phone.kind !== "browser") return;
    if (!this.softphone) {
      this.softphone = new Softphone({
        offer: (sdp) => void this.send("phone_offer", { sdp }),
        problem: (p) => this.devices(p),
      });
      void this.softphone.probe();
    } else if (this.desk.phone.up) return;
    void this.softphone.connect();
  }

  private devices(problem: PhoneProblem | null) {
    if (problem === this.phoneProblem && problem === null) return;
    this.phoneProblem = problem;
    note(`phone: ${problem ?? "microphone is there"}`);
    void this.send("phone_ready", { microphone: problem === null, detail: problem ?? "" });
  }

  async retryPhone() {
    this.phoneRefused = null;
    await this.softphone?.probe();
    await this.softphone?.connect();
  }

  microphoneLevel(): number {
    return this.softphone?.microphone.level() ?? 0;
  }

  /** The settings show the microphone's level while they are open. */
  listenIn(on: boolean) {
    void this.softphone?.microphone.need("meter", on);
  }

  choose(kind: SoundKind, device: string) {
    sound.choose(kind, device);
    if (kind === "microphone") void this.softphone?.microphone.reopen();
    if (kind === "speaker") void this.softphone?.useSpeaker();
  }

  testRing() {
    this.ring.unlock();
    this.ring.figure();
  }

  private speaking(): boolean {
    return this.desk.attending !== null || this.desk.work.some((w) => w.phase !== "wrap_up" && !isWritten(w));
  }

  /** Takes an offered chat and leaves the focus where it is (CHAT-04). */
  acceptAside(offer: OfferView): Promise<boolean> {
    // What is shown now was perhaps never chosen: it is, from here on.
    this.chosen = this.work?.interaction ?? null;
    this.aside.add(offer.interaction);
    return this.send("accept", { offer: offer.offer });
  }

  /** Microphone and ring follow what is offered and handled. */
  private attend() {
    const speaking = this.speaking();
    const ringing = this.desk.offers.length > 0;
    const calls = this.desk.offers.some((offer) => !isWritten(offer));
    if (this.desk.phone.kind === "browser") void this.softphone?.microphone.need("call", speaking || calls);
    if (ringing && !speaking) void this.ring.start();
    else this.ring.stop();
    if (!ringing) this.notice?.close();
    this.mark(this.desk.offers[0] ?? null);
  }

  /** Title and badge say that somebody rings, for when the page is behind others. */
  private mark(offer: OfferView | null) {
    document.title = offer ? `${isWritten(offer) ? "✉" : "☎"} ${nameOf(offer, spoken.words)} · Patchbay` : "Patchbay";
    const badge = offer ? navigator.setAppBadge?.(1) : navigator.clearAppBadge?.();
    void badge?.catch(() => undefined);
  }

  /** Keeps what is typed, and saves it when the typing pauses: after-call work may end by itself at any moment. */
  draft(interaction: string, comment: string) {
    clearTimeout(this.drafts.get(interaction)?.timer);
    this.drafts.set(interaction, { comment, timer: setTimeout(() => void this.saveDraft(interaction), 700) });
  }

  /** Says false when the remark could not be saved. */
  async saveDraft(interaction: string): Promise<boolean> {
    const draft = this.drafts.get(interaction);
    if (!draft) return true;
    clearTimeout(draft.timer);
    if (!(await this.send("code", { interaction, comment: draft.comment }))) return false;
    if (this.drafts.get(interaction) === draft) this.drafts.delete(interaction);
    return true;
  }

  async complete(interaction: string): Promise<void> {
    if (await this.saveDraft(interaction)) await this.send("complete", { interaction });
  }

  private announce(offer: OfferView) {
    this.notice = this.notify(offer.service?.name ?? spoken.words.offer.internal, nameOf(offer, spoken.words), offer.offer) ?? this.notice;
  }

  /** Says it over other windows, when this page is behind them and may. */
  private notify(title: string, body: string, tag: string): Notification | null {
    if (document.visibilityState === "visible" || typeof Notification === "undefined") return null;
    if (Notification.permission !== "granted") return null;
    const notice = new Notification(title, { body, tag });
    notice.onclick = () => window.focus();
    return notice;
  }

  /** Sends a command; a refusal is kept for the page to show. */
  async send(command: string, fields: Record<string, unknown> = {}): Promise<boolean> {
    note(`command: ${command}`);
    try {
      await this.connection?.send(command, fields);
      this.refusal = null;
      return true;
    } catch (e) {
      if (e instanceof Problem) this.refusal = e;
      note(`refused: ${e instanceof Problem ? e.code : String(e)}`);
      return false;
    }
  }

  /** Calls a colleague (OUT-03). A refusal is handed back: it is shown where the call was asked for. */
  callColleague(target: { user: string } | { extension: string }): Promise<Problem | null> {
    return this.place("call", target);
  }

  /** The number outside that was dialled last (OUT-09). */
  lastDialled = "";

  /** Calls a number outside, under a service (OUT-01, OUT-02). */
  callOutside(number: string, service: string | null, callerId: string | null = null): Promise<Problem | null> {
    this.lastDialled = number;
    return this.place("dial", { number, service, caller_id: callerId });
  }

  /** Passes a customer on (XFER-05). A refusal is handed back. */
  transfer(interaction: string, to: Target): Promise<Problem | null> {
    return this.place("transfer", { interaction, ...to });
  }

  /** Asks somebody about a customer, who is held (XFER-01). A refusal is handed back. */
  consult(interaction: string, who: Target): Promise<Problem | null> {
    return this.place("consult", { interaction, ...who });
  }

  /** Passes the customer on to whom was asked in this call (XFER-04). */
  async completeTransfer(work: WorkView): Promise<void> {
    const customer = customerOf(work, this.desk.work, this.customer);
    if (!customer || !canBePassed(customer) || !(await this.saveDraft(customer.interaction))) return;
    await this.send("complete_transfer", { interaction: customer.interaction, from: work.interaction });
  }

  /** Brings whoever is called in this call into the customer's; with all, everybody else whom the agent called as well (XFER-09). */
  async merge(work: WorkView, all: boolean): Promise<void> {
    const into = customerOf(work, this.desk.work, this.customer);
    if (!into) return;
    for (const from of [work, ...(all ? othersToo(work, into, this.desk.work) : [])]) {
      if (!(await this.send("merge", { interaction: into.interaction, from: from.interaction }))) return;
    }
  }

  /** Shows the colleague what there is to see of the call that is asked about, the remark being typed included (XFER-02). */
  async sendScreen(work: WorkView): Promise<void> {
    if (work.consults && (await this.saveDraft(work.consults))) await this.send("send_screen", { interaction: work.interaction });
  }

  /** Takes part in an agent's call, or in another way (HELP-03 to HELP-05). A refusal is handed back. */
  attendCall(interaction: string, how: Attending): Promise<Problem | null> {
    return this.place("attend", { interaction, how });
  }

  private async place(command: "call" | "dial" | "transfer" | "consult" | "attend", fields: Record<string, unknown>): Promise<Problem | null> {
    try {
      await this.connection?.send(command, fields);
      return null;
    } catch (e) {
      if (e instanceof Problem) return e;
      throw e;
    }
  }

  closeBanner(key: number) {
    this.desk = { ...this.desk, banners: this.desk.banners.filter((b) => b.key !== key) };
  }
}

export const signed = new Signed();

/** The page's one clock, in appliance time. */
class Now {
  ms = $state(Date.now());
  constructor() {
    setInterval(() => (this.ms = Date.now() + signed.desk.skew), 250);
  }
}
export const now = new Now();
