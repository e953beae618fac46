// Keyboard shortcuts (KEY-01: Alt+Q ends the call, whatever the keyboard layout, so keys are named by position).

import { tinykeys } from "tinykeys";
import { canBeAsked, customersFor } from "./consult";
import type { Words } from "./words/en";
import { signed } from "./session.svelte";

type Name = Exclude<keyof Words["keys"], "title" | "help" | "close">;

export const keyList: { name: Name; press: string; shown: string[] }[] = [
  { name: "accept", press: "Alt+KeyA", shown: ["Alt", "A"] },
  { name: "decline", press: "Alt+KeyX", shown: ["Alt", "X"] },
  { name: "hangUp", press: "Alt+KeyQ", shown: ["Alt", "Q"] },
  { name: "mute", press: "Alt+KeyM", shown: ["Alt", "M"] },
  { name: "hold", press: "Alt+KeyH", shown: ["Alt", "H"] },
  { name: "transfer", press: "Alt+Shift+KeyT", shown: ["Alt", "Shift", "T"] },
  { name: "blind", press: "Alt+Shift+KeyB", shown: ["Alt", "Shift", "B"] },
  { name: "consult", press: "Alt+Shift+KeyD", shown: ["Alt", "Shift", "D"] },
  { name: "conference", press: "Alt+Shift+KeyC", shown: ["Alt", "Shift", "C"] },
  { name: "pause", press: "Alt+KeyP", shown: ["Alt", "P"] },
  { name: "flag", press: "Alt+KeyF", shown: ["Alt", "F"] },
  { name: "complete", press: "Alt+Enter", shown: ["Alt", "Enter"] },
  { name: "colleagues", press: "Alt+KeyC", shown: ["Alt", "C"] },
  { name: "ready", press: "Alt+KeyR", shown: ["Alt", "R"] },
  { name: "show", press: "Alt+KeyK", shown: ["Alt", "K"] },
];

export function keys(target: Window, page: { showKeys(): void; showColleagues(): void }): () => void {
  const offer = () => signed.desk.offers[0]?.offer;
  const no = () => (signed.desk.offers[0]?.channel === "email" ? "postpone" : "decline");
  const work = () => signed.work;
  const live = () => work()?.phase === "talking" || work()?.phase === "held";
  const passOn = () => {
    const of = work();
    if (live() && of?.service && !of.flow && !of.conference) signed.transferring = of.interaction;
  };
  const actions: Record<Name, () => void> = {
    accept: () => offer() && void signed.send("accept", { offer: offer() }),
    decline: () => offer() && void signed.send(no(), { offer: offer() }),
    hangUp: () => work() && work()?.phase !== "wrap_up" && void signed.send("hang_up", { interaction: work()?.interaction }),
    mute: () => live() && void signed.send(work()?.muted ? "unmute" : "mute", { interaction: work()?.interaction }),
    hold: () => live() && void signed.send(work()?.phase === "held" ? "retrieve" : "hold", { interaction: work()?.interaction }),
    // Of a call with whoever was asked it passes the customer on to them; else it opens the window.
    transfer: () => {
      const of = work();
      if (of && customersFor(of, signed.desk.work).length > 0) void signed.completeTransfer(of);
      else passOn();
    },
    blind: () => passOn(),
    // Whoever was asked comes in; before that somebody is asked, and never joined unasked (XFER-11); without a call one is begun (OUT-10).
    conference: () => {
      const of = work();
      if (of && customersFor(of, signed.desk.work).length > 0) void signed.merge(of, false);
      else if (of && canBeAsked(of)) signed.consulting = of.interaction;
      else if (signed.desk.work.every((w) => w.phase === "wrap_up")) page.showColleagues();
    },
    consult: () => {
      const of = work();
      if (of && canBeAsked(of)) signed.consulting = of.interaction;
    },
    pause: () => live() && work()?.recording && void signed.send(work()?.recording_pause ? "resume_recording" : "pause_recording", { interaction: work()?.interaction }),
    flag: () => work() && work()?.phase !== "wrap_up" && void signed.send(work()?.help_since ? "take_back_help" : "ask_help", { interaction: work()?.interaction }),
    complete: () => work()?.phase === "wrap_up" && void signed.complete(work()?.interaction ?? ""),
    ready: () => void signed.send("ready"),
    colleagues: () => page.showColleagues(),
    show: () => page.showKeys(),
  };
  return tinykeys(
    target,
    Object.fromEntries(keyList.map((k) => [k.press, (e: KeyboardEvent) => (e.preventDefault(), actions[k.name]())])),
    // All of them have Alt, so they are no text: they work while a remark or a name is being typed.
    { ignore: (e) => e.repeat || e.isComposing },
  );
}
