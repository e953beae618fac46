// How many messages of callers nobody has heard: asked for again and again while somebody is signed in.

import { signed } from "./session.svelte";

/** Messages are not urgent to the second: who left one has hung up. */
const EVERY_MS = 30_000;

class Unheard {
  count = $state(0);

  /** Asks now. What cannot be known at the moment stays as it was. */
  async look() {
    try {
      this.count = (await signed.api.get<{ unheard: number }>("/voicemails/count")).unheard;
    } catch {
      // The page says elsewhere that the appliance cannot be reached.
    }
  }

  /** Goes on asking until the returned function is called. */
  watch(): () => void {
    void this.look();
    const timer = setInterval(() => void this.look(), EVERY_MS);
    return () => clearInterval(timer);
  }
}

export const unheard = new Unheard();
