// What becomes of calls to an extension that are not taken (VM-02, VM-13). Rust twin: control-api/src/diversions.rs.

export interface Diversion {
  forwarding: { on: boolean; number: string; after_s: number };
  voicemail: { on: boolean; after_s: number };
}

/** Where the settings of one person are: the own ones, or those of a user. */
export const diversionPath = (user: string | null) => (user === null ? "/session/diversion" : `/users/${user}/diversion`);

/** Messages are not looked at while calls are forwarded; what was set for them stays (VM-14). */
export const messagesRest = (d: Diversion) => d.forwarding.on;

/** What is sent: a number without the spaces that people type around it. */
export function trimmed(d: Diversion): Diversion {
  return { ...d, forwarding: { ...d.forwarding, number: d.forwarding.number.trim() } };
}
