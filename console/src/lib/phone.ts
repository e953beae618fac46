// The softphone: one peer connection for as long as the page lives. The appliance holds the call; this is its headset.
// The microphone is open only while a call is offered or handled.

export type PhoneProblem = "denied" | "no_microphone" | "unsupported";

export interface PhoneHandlers {
  offer(sdp: string): void;
  problem(problem: PhoneProblem | null): void;
  /** The path to the appliance is up, or not. */
  path(up: boolean): void;
}

export class Softphone {
  private pc: RTCPeerConnection | null = null;
  private microphone: MediaStreamTrack | null = null;
  private sender: RTCRtpSender | null = null;
  private audio = new Audio();
  private wanted = false;
  private meter: { context: AudioContext; analyser: AnalyserNode; data: Uint8Array<ArrayBuffer> } | null = null;

  constructor(private on: PhoneHandlers) {
    this.audio.autoplay = true;
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
    const transceiver = pc.addTransceiver(this.microphone ?? "audio", { direction: "sendrecv" });
    this.sender = transceiver.sender;
    pc.ontrack = ({ track }) => {
      this.audio.srcObject = new MediaStream([track]);
      // After a reload some browsers want a gesture before a page may be heard.
      const play = () => this.audio.play();
      void play().catch(() => {
        for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => void play().catch(() => undefined), { once: true });
      });
    };
    pc.onconnectionstatechange = () => {
      if (pc !== this.pc) return;
      this.on.path(pc.connectionState === "connected");
      if (pc.connectionState === "failed") void this.connect();
    };
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    if (pc === this.pc && pc.localDescription) this.on.offer(pc.localDescription.sdp);
  }

  async answer(sdp: string): Promise<void> {
    if (this.pc?.signalingState === "have-local-offer") await this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  /** Asks for the microphone before the first call, so that the browser's question comes at sign-in, not while ringing. */
  async probe(): Promise<void> {
    if (!Softphone.supported()) return this.on.problem("unsupported");
    await this.open();
    this.release();
  }

  /** Opens the microphone while `wanted`, closes it after. Safe to call as often as things change. */
  async use(wanted: boolean): Promise<void> {
    this.wanted = wanted;
    if (wanted) await this.open();
    else this.release();
  }

  private async open(): Promise<void> {
    if (this.microphone?.readyState === "live") return;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...tuning() },
      });
      const track = stream.getAudioTracks()[0];
      if (!track) return this.on.problem("no_microphone");
      if (!this.wanted && this.microphone) return track.stop();
      this.microphone = track;
      await this.sender?.replaceTrack(track);
      this.listen(track);
      this.on.problem(null);
    } catch (e) {
      this.on.problem(e instanceof DOMException && e.name === "NotAllowedError" ? "denied" : "no_microphone");
    }
  }

  private release() {
    if (this.wanted) return;
    void this.sender?.replaceTrack(null);
    this.microphone?.stop();
    this.microphone = null;
    void this.meter?.context.close();
    this.meter = null;
  }

  private listen(track: MediaStreamTrack) {
    void this.meter?.context.close();
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    this.meter = { context, analyser, data: new Uint8Array(analyser.fftSize) };
  }

  /** Microphone level, 0 to 1. */
  level(): number {
    if (!this.meter) return 0;
    this.meter.analyser.getByteTimeDomainData(this.meter.data);
    let peak = 0;
    for (const v of this.meter.data) peak = Math.max(peak, Math.abs(v - 128));
    return peak / 128;
  }

  close() {
    this.wanted = false;
    this.release();
    this.pc?.close();
    this.pc = null;
  }
}

/** `?audio=raw` leaves the microphone's signal as it is: for measuring with tones. */
function tuning(): MediaTrackConstraints {
  return new URLSearchParams(location.search).get("audio") === "raw"
    ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
    : {};
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
