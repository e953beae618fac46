// The softphone: one peer connection for as long as the page lives. The appliance holds the call; this is its headset.

import { note } from "./pagelog";
import { Microphone, type MicrophoneProblem } from "./microphone";
import { sound } from "./sound.svelte";

export type PhoneProblem = MicrophoneProblem | "unsupported";

export interface PhoneHandlers {
  offer(sdp: string): void;
  problem(problem: PhoneProblem | null): void;
}

/** How often the sound's figures are noted. */
const MEASURED_MS = 10_000;
interface Inbound {
  type: string;
  packetsReceived: number;
  packetsLost: number;
  jitter: number;
  concealedSamples: number;
}
interface Remote {
  type: string;
  packetsLost: number;
  roundTripTime?: number;
}

export class Softphone {
  readonly microphone: Microphone;
  private pc: RTCPeerConnection | null = null;
  private sender: RTCRtpSender | null = null;
  private audio = new Audio();

  constructor(private on: PhoneHandlers) {
    this.audio.autoplay = true;
    this.microphone = new Microphone({
      track: (track) => void this.sender?.replaceTrack(track).catch(() => undefined),
      problem: (problem) => on.problem(problem),
    });
  }

  static supported(): boolean {
    return typeof RTCPeerConnection === "function" && !!navigator.mediaDevices?.getUserMedia;
  }

  /** Connects, or connects again: the appliance keeps the leg and any call on it. */
  async connect(): Promise<void> {
    if (!Softphone.supported()) return this.on.problem("unsupported");
    this.pc?.close();
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
    this.pc = pc;
    this.sender = pc.addTransceiver(this.microphone.track ?? "audio", { direction: "sendrecv" }).sender;
    pc.ontrack = ({ track }) => this.play(track);
    pc.oniceconnectionstatechange = () => note(`phone: ice ${pc.iceConnectionState}`);
    pc.onconnectionstatechange = () => {
      note(`phone: ${pc.connectionState}`);
      if (pc === this.pc && pc.connectionState === "failed") void this.connect();
    };
    this.measure(pc);
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    if (pc === this.pc && pc.localDescription) this.on.offer(pc.localDescription.sdp);
  }

  /** Notes how the sound comes and goes, as long as any does. */
  private measure(pc: RTCPeerConnection) {
    let heard = 0;
    const timer = setInterval(async () => {
      if (pc !== this.pc) return clearInterval(timer);
      for (const figures of (await pc.getStats()).values() as Iterable<Inbound & Remote>) {
        if (figures.type === "inbound-rtp" && figures.packetsReceived !== heard) {
          heard = figures.packetsReceived;
          note(`phone: received ${heard}, lost ${figures.packetsLost}, jitter ${Math.round(figures.jitter * 1_000)} ms, concealed ${figures.concealedSamples}`);
        }
        if (figures.type === "remote-inbound-rtp") note(`phone: of ours lost ${figures.packetsLost}, round trip ${Math.round((figures.roundTripTime ?? 0) * 1_000)} ms`);
      }
    }, MEASURED_MS);
  }

  async answer(sdp: string): Promise<void> {
    if (this.pc?.signalingState === "have-local-offer") await this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** Asks for the microphone before the first call, so that the browser's question comes at sign-in, not while ringing. */
  async probe(): Promise<void> {
    if (!Softphone.supported()) return this.on.problem("unsupported");
    await this.microphone.need("probe", true);
    await this.microphone.need("probe", false);
  }

  /** The speaker as chosen in the settings, where the browser allows a choice. */
  async useSpeaker(): Promise<void> {
    await this.audio.setSinkId?.(sound.chosen.speaker).catch(() => undefined);
  }

  close() {
    this.microphone.close();
    this.pc?.close();
    this.pc = null;
    this.audio.srcObject = null;
  }

  private play(track: MediaStreamTrack) {
    this.audio.srcObject = new MediaStream([track]);
    void this.useSpeaker();
    // After a reload some browsers want a gesture before a page may be heard.
    void this.audio.play().catch(() => {
      const again = () => void this.audio.play().catch(() => undefined);
      for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, again, { once: true });
    });
  }
}

/** Waits for candidates, at most a second: the appliance needs none of ours beyond what checks bring. */
function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => (clearTimeout(timer), resolve());
    const timer = setTimeout(done, 1_000);
    pc.addEventListener("icegatheringstatechange", () => pc.iceGatheringState === "complete" && done());
  });
}
