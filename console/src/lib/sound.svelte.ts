// Which microphone, speaker and ringer this computer uses, and how loud it rings. Remembered here, not on the appliance:
// the same person may sit at another desk tomorrow.

export type SoundKind = "microphone" | "speaker" | "ringer";

class Sound {
  chosen = $state<Record<SoundKind, string>>({ microphone: kept("microphone"), speaker: kept("speaker"), ringer: kept("ringer") });
  private loudness = $state(Number(localStorage.getItem("volume") ?? "0.7"));

  choose(kind: SoundKind, id: string) {
    this.chosen[kind] = id;
    localStorage.setItem(`device-${kind}`, id);
  }
  get volume(): number {
    return this.loudness >= 0 && this.loudness <= 1 ? this.loudness : 0.7;
  }
  set volume(volume: number) {
    this.loudness = volume;
    localStorage.setItem("volume", String(volume));
  }
}

function kept(kind: SoundKind): string {
  return localStorage.getItem(`device-${kind}`) ?? "";
}

class Devices {
  list = $state.raw<MediaDeviceInfo[]>([]);
  /** Whether this browser lets a page choose where it plays. */
  readonly outputs = typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;

  /** Keeps the list while somebody looks at it. */
  watch(): () => void {
    const media = navigator.mediaDevices;
    if (!media) return () => undefined;
    const look = () => void media.enumerateDevices().then((list) => (this.list = list), () => undefined);
    look();
    media.addEventListener("devicechange", look);
    return () => media.removeEventListener("devicechange", look);
  }
}

export const sound = new Sound();
export const devices = new Devices();
