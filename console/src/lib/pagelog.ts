// The log of this page.

import { PageLog } from "./log";

const KEPT = "patchbay.log";

function open(): PageLog {
  try {
    return new PageLog(sessionStorage.getItem(KEPT));
  } catch {
    return new PageLog();
  }
}

const log = open();

/** Notes what happened. */
export function note(what: string) {
  log.add(Date.now(), what);
}

export const pageLog: Pick<PageLog, "text" | "pieces"> = log;

/** From now on errors of the page are noted, and the log is kept when the page goes. */
export function watchPage(page: Window) {
  page.addEventListener("error", (e) => note(`error: ${e.message} at ${e.filename.split("/").pop()}:${e.lineno}`));
  page.addEventListener("unhandledrejection", (e) => note(`unhandled: ${String(e.reason)}`));
  for (const kind of ["online", "offline"]) page.addEventListener(kind, () => note(`network: ${kind}`));
  page.document.addEventListener("visibilitychange", () => note(`page: ${page.document.visibilityState}`));
  navigator.mediaDevices?.addEventListener("devicechange", () => note("devices: changed"));
  page.addEventListener("pagehide", () => {
    try {
      sessionStorage.setItem(KEPT, log.kept());
    } catch {
      // A tab that may keep nothing goes on without.
    }
  });
  note(`page: opened, ${navigator.userAgent}`);
}
