// The console's WebSocket: commands with answers, events in order, and coming back after a cut.

import { Problem, type ProblemBody, type ServerEvent } from "./api";

type Answer = { re: number | null; ok?: unknown; problem?: ProblemBody };

export interface ConnectionHandlers {
  event(event: ServerEvent): void;
  up(): void;
  down(): void;
  /** The appliance ended the session; there is no coming back without signing in. */
  refused(): void;
  /** A newer page of the same session took over. */
  replaced(): void;
}

/** Waits before trying again: quick first, then patient, so that a restart does not meet all consoles at once. */
const RETRY_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];
/** A command without an answer for this long means that the path is dead, whatever the socket says. */
const ANSWER_MS = 10_000;
/** The appliance's pings are below what a page can see: after this much silence the page asks for itself. */
const SILENCE_MS = 40_000;
/** Close code of the appliance: this session's console was opened in a newer page. */
const REPLACED = 4001;

export class Connection {
  private socket: WebSocket | null = null;
  private id = 0;
  private tries = 0;
  private closed = false;
  private waiting = new Map<number, { done(v: unknown): void; fail(e: Problem): void }>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private csrf: string,
    private lastSeq: () => number,
    private on: ConnectionHandlers,
  ) {}

  open() {
    clearTimeout(this.timer);
    if (this.closed) return;
    const seq = this.lastSeq();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const after = seq > 0 ? `&after=${seq}` : "";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/console?csrf=${encodeURIComponent(this.csrf)}${after}`);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.tries = 0;
      this.heard();
      this.on.up();
    };
    socket.onmessage = (m: MessageEvent<string>) => {
      if (socket !== this.socket) return;
      this.heard();
      this.receive(JSON.parse(m.data) as Answer | ServerEvent);
    };
    socket.onclose = (e) => {
      if (socket !== this.socket) return;
      clearTimeout(this.silence);
      this.failAll();
      if (this.closed) return;
      if (e.code === REPLACED) return this.on.replaced();
      this.on.down();
      // A handshake that is refused again and again may mean that the session is over: REST can tell.
      if (!opened && this.tries >= 2) this.on.refused();
      this.timer = setTimeout(() => this.open(), RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)]);
    };
  }

  /** The network came back, or the path turned out to be dead: no waiting for time-outs. */
  again() {
    const old = this.socket;
    if (this.closed || old?.readyState === WebSocket.CONNECTING) return;
    this.socket = null;
    clearTimeout(this.silence);
    this.failAll();
    old?.close();
    this.on.down();
    this.open();
  }

  private heard() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => void this.send("resync").catch(() => undefined), SILENCE_MS);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.socket?.close(1000);
    this.failAll();
  }

  send<T = Record<string, never>>(command: string, fields: Record<string, unknown> = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const socket = this.socket;
      if (!socket || socket.readyState !== WebSocket.OPEN) return reject(unreachable());
      const id = ++this.id;
      const late = setTimeout(() => {
        this.waiting.delete(id);
        reject(unreachable());
        if (socket === this.socket) this.again();
      }, ANSWER_MS);
      this.waiting.set(id, {
        done: (v) => (clearTimeout(late), resolve(v as T)),
        fail: (e) => (clearTimeout(late), reject(e)),
      });
      socket.send(JSON.stringify({ id, do: command, ...fields }));
    });
  }

  private receive(frame: Answer | ServerEvent) {
    if ("event" in frame) return this.on.event(frame);
    const call = frame.re === null ? undefined : this.waiting.get(frame.re);
    if (!call || frame.re === null) return;
    this.waiting.delete(frame.re);
    if (frame.problem) call.fail(new Problem(frame.problem));
    else call.done(frame.ok ?? {});
  }

  private failAll() {
    for (const call of this.waiting.values()) call.fail(unreachable());
    this.waiting.clear();
  }
}

const unreachable = () => new Problem({ type: "/problems/unreachable", title: "Cannot reach the server.", status: 0 });
