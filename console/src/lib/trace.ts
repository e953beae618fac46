// The SIP messages of a call as a ladder (SIP-08): who is in which column, and which way each message goes.

import type { Millis } from "./api";

export interface TracedMessage {
  at: Millis;
  /** Since the first message, in microseconds. */
  after_us: number;
  /** Whether the appliance sent it. */
  outgoing: boolean;
  wire: "udp" | "tcp" | "tls";
  ours: string;
  theirs: string;
  /** `INVITE`, `180 Ringing`. */
  summary: string;
  sdp: boolean;
  call_id: string;
  cseq: string;
  text: string;
}
export interface Trace {
  messages: TracedMessage[];
  left_out: number;
}

/** An arrow between two columns, counted from 0. */
export interface Arrow {
  left: number;
  right: number;
  /** Towards the right one. */
  rightwards: boolean;
}

/** The columns: who called first stands left, the appliance (`null`) next, and everybody else right of it. */
export function columns(trace: Trace): (string | null)[] {
  const far = [...new Set(trace.messages.map((m) => m.theirs))];
  return far.length === 0 ? [] : [far[0] ?? null, null, ...far.slice(1)];
}

export function arrow(message: TracedMessage, of: (string | null)[]): Arrow {
  const [us, them] = [of.indexOf(null), of.indexOf(message.theirs)];
  return { left: Math.min(us, them), right: Math.max(us, them), rightwards: message.outgoing === them > us };
}

/** What an answer is to whoever looks for a failure: 4xx to 6xx are, except for a challenge, which is answered. */
export function failed(message: TracedMessage): boolean {
  return /^[456]\d\d /.test(message.summary) && !/^(401|407|487) /.test(message.summary);
}

/** After the first message, in seconds to the millisecond. */
export function seconds(message: TracedMessage): number {
  return Math.round(message.after_us / 1000) / 1000;
}
