// The ring: a soft two-note figure, made by the browser, played by one tab only.

import { sound } from "./sound.svelte";

export class Ring {
  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private release: (() => void) | null = null;

  /** Browsers let a page make sound only after a click: the sign-in button is one. */
  unlock() {
    this.context ??= new AudioContext();
    void this.context.resume();
  }

  /** After a reload there was no click yet: the first one will do. */
  unlockByGesture() {
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.unlock(), { once: true });
  }

  async start() {
    if (this.timer) return;
    this.timer = setInterval(() => this.figure(), 3_000);
    // With several tabs open only the one that gets the lock rings.
    const mine = await this.lead();
    if (!this.timer) return this.release?.();
    if (mine) this.figure();
    else this.silence();
  }

  stop() {
    this.silence();
    this.release?.();
    this.release = null;
  }

  private silence() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private lead(): Promise<boolean> {
    if (!navigator.locks) return Promise.resolve(true);
    return new Promise((resolve) => {
      void navigator.locks.request("patchbay-ring", { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? new Promise<void>((done) => (this.release = done)) : undefined;
      });
    });
  }

  /** Somebody calls while a call goes on: once and softly, beside the voice in the ear. */
  knock() {
    this.figure(0.3);
  }

  figure(share = 1) {
    const c = this.context as (AudioContext & { setSinkId?(id: string): Promise<void> }) | null;
    if (!c) return;
    // Where the browser allows it the ring has a device of its own: loudspeakers, while the headset lies on the desk.
    void c.setSinkId?.(sound.chosen.ringer).catch(() => undefined);
    [523.25, 659.25, 523.25, 659.25].forEach((hz, i) => {
      const at = c.currentTime + i * 0.22;
      const tone = c.createOscillator();
      const gain = c.createGain();
      tone.type = "sine";
      tone.frequency.value = hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(Math.max(0.001, 0.32 * share * sound.volume), at + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
      tone.connect(gain).connect(c.destination);
      tone.start(at);
      tone.stop(at + 0.21);
    });
  }
}
