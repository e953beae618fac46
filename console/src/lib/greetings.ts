// What somebody says to callers who are to leave them a message (VM-03). Rust twin: desk/src/greetings.rs.

export interface Greeting {
  id: string;
  name: string;
  chosen: boolean;
  length_ms: number;
  made_at: number;
}

/** How many one person keeps. */
export const GREETINGS_MAX = 3;
/** How long one may be. */
export const LONGEST_S = 60;
/** The appliance keeps voices at this rate. */
export const RATE_HZ = 16_000;
/** Nobody's minute of sound is larger. */
export const FILE_MAX = 24 * 1024 * 1024;

export const greetingsPath = (user: string) => `/users/${user}/greetings`;
export const greetingPath = (user: string, id: string) => `${greetingsPath(user)}/${id}`;
export const audioPath = (user: string, id: string) => `${greetingPath(user, id)}/audio`;
export const addPath = (user: string, name: string) => `${greetingsPath(user)}?name=${encodeURIComponent(name.trim())}`;

/** All channels as one, with the same weight. */
export function mixed(channels: Float32Array[]): Float32Array {
  const [first] = channels;
  if (!first) return new Float32Array();
  return first.map((_, i) => channels.reduce((sum, channel) => sum + (channel[i] ?? 0), 0) / channels.length);
}

/** A WAV file: 16 bits, mono. */
export function wav(samples: Float32Array, rateHz: number): Blob {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at: number, words: string) => [...words].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((s, i) => view.setInt16(44 + i * 2, Math.round(Math.max(-1, Math.min(1, s)) * 32_767), true));
  return new Blob([view.buffer], { type: "audio/wav" });
}
