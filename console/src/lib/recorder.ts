// Speaking into the page, and files that people bring: both become what the appliance keeps. The browser decodes whatever it can
// play, so that MP3 and its own recordings are as good as WAV.

import { FILE_MAX, LONGEST_S, RATE_HZ, mixed, wav } from "./greetings";
import { chosenMicrophone } from "./microphone";

/** What is wrong with a sound. */
export class WrongSound extends Error {
  constructor(readonly why: "notSound" | "tooLong") {
    super(why);
  }
}

/** A sound as it is sent. */
export interface Sounding {
  file: Blob;
  length_ms: number;
}

/** Decodes a file at the rate that is kept. */
export async function sounding(file: Blob): Promise<Sounding> {
  if (file.size > FILE_MAX) throw new WrongSound("tooLong");
  const decoder = new OfflineAudioContext(1, 1, RATE_HZ);
  let decoded: AudioBuffer;
  try {
    decoded = await decoder.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new WrongSound("notSound");
  }
  if (decoded.duration > LONGEST_S) throw new WrongSound("tooLong");
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, i) => decoded.getChannelData(i));
  return { file: wav(mixed(channels), decoded.sampleRate), length_ms: decoded.duration * 1_000 };
}

const BEEP_S = 0.25;
/** A little less than the longest, so that what is decoded of it is never longer. */
const SPOKEN_MAX_MS = LONGEST_S * 1_000 - 500;

/** One recording: from the beep until it is stopped, or as long as may be. */
export class Recorder {
  private chunks: Blob[] = [];
  private recorder: MediaRecorder;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over: Promise<void>;

  private constructor(private stream: MediaStream, private context: AudioContext) {
    this.recorder = new MediaRecorder(stream);
    this.recorder.ondataavailable = (e) => this.chunks.push(e.data);
    this.over = new Promise((resolve) => (this.recorder.onstop = () => resolve()));
  }

  /** Opens the microphone, beeps once, and begins after it. Fails as the browser does when there is no microphone. `full`: as long as may be. */
  static async begin(full: () => void): Promise<Recorder> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: chosenMicrophone() });
    const made = new Recorder(stream, new AudioContext());
    await made.beep();
    made.recorder.start();
    made.timer = setTimeout(full, SPOKEN_MAX_MS);
    return made;
  }

  /** What was spoken. */
  async stop(): Promise<Sounding> {
    if (this.recorder.state !== "inactive") this.recorder.stop();
    await this.over;
    this.release();
    return sounding(new Blob(this.chunks, { type: this.recorder.mimeType }));
  }

  /** Lets go of the microphone. */
  release() {
    clearTimeout(this.timer);
    if (this.recorder.state !== "inactive") this.recorder.stop();
    this.stream.getTracks().forEach((track) => track.stop());
    if (this.context.state !== "closed") void this.context.close();
  }

  private async beep(): Promise<void> {
    const tone = new OscillatorNode(this.context, { frequency: 880 });
    const quiet = new GainNode(this.context, { gain: 0.2 });
    tone.connect(quiet).connect(this.context.destination);
    const over = new Promise<void>((resolve) => (tone.onended = () => resolve()));
    tone.start();
    tone.stop(this.context.currentTime + BEEP_S);
    await over;
  }
}
