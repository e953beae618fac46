// The microphone: open only while somebody needs it, reopened when a headset is pulled out, with a meter.

import { sound } from "./sound.svelte";

export type MicrophoneProblem = "denied" | "no_microphone";
/** What needs it: the question to the browser at sign-in, a call, the meter in the settings. */
export type Need = "probe" | "call" | "meter";

export class Microphone {
  track: MediaStreamTrack | null = null;
  private needs = new Set<Need>();
  private opening: Promise<void> | null = null;
  private meter: { context: AudioContext; analyser: AnalyserNode; data: Uint8Array<ArrayBuffer> } | null = null;

  constructor(private on: { track(track: MediaStreamTrack | null): void; problem(problem: MicrophoneProblem | null): void }) {}

  /** Safe to call as often as things change. */
  async need(need: Need, needed: boolean): Promise<void> {
    if (needed) this.needs.add(need);
    else this.needs.delete(need);
    await this.settle();
  }

  /** Another microphone was chosen, or the old one is gone. */
  async reopen(): Promise<void> {
    this.stop();
    await this.settle();
  }

  close() {
    this.needs.clear();
    this.stop();
  }

  /** Level, 0 to 1. */
  level(): number {
    if (!this.meter) return 0;
    this.meter.analyser.getByteTimeDomainData(this.meter.data);
    let peak = 0;
    for (const v of this.meter.data) peak = Math.max(peak, Math.abs(v - 128));
    return peak / 128;
  }

  private async settle(): Promise<void> {
    if (this.needs.size === 0) return this.stop();
    if (this.track?.readyState === "live") return;
    // One question at a time: events come faster than a person answers.
    this.opening ??= this.open().finally(() => (this.opening = null));
    await this.opening;
  }

  private async open(): Promise<void> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: chosenMicrophone() });
      const track = stream.getAudioTracks()[0];
      if (!track) return this.on.problem("no_microphone");
      this.on.problem(null);
      if (this.needs.size === 0) return track.stop();
      this.track = track;
      track.onended = () => void this.reopen();
      this.measure(track);
      this.on.track(track);
    } catch (e) {
      this.on.problem(e instanceof DOMException && e.name === "NotAllowedError" ? "denied" : "no_microphone");
    }
  }

  private stop() {
    if (!this.track) return;
    this.track.onended = null;
    this.track.stop();
    this.track = null;
    this.on.track(null);
    void this.meter?.context.close();
    this.meter = null;
  }

  private measure(track: MediaStreamTrack) {
    void this.meter?.context.close();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    this.meter = { context, analyser, data: new Uint8Array(analyser.fftSize) };
  }
}

/** The microphone that this computer's user chose, as one asks for it. */
export function chosenMicrophone(): MediaTrackConstraints {
  const deviceId = sound.chosen.microphone;
  return { ...(deviceId ? { deviceId: { ideal: deviceId } } : {}), ...tuning() };
}

/** `?audio=raw` leaves the microphone's signal as it is: for measuring with tones. */
function tuning(): MediaTrackConstraints {
  const on = new URLSearchParams(location.search).get("audio") !== "raw";
  return { echoCancellation: on, noiseSuppression: on, autoGainControl: on };
}
