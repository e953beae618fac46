// Flows that agents start during a call (CTRL-06). Rust twin: desk/src/floor/during_call.rs.

import type { Named, ServiceView, WorkView } from "./api";
import { asWords } from "./noted";

/** Flows that may be started for a call now; none while one runs, or while nobody talks. */
export function startable(work: WorkView, services: ServiceView[]): Named[] {
  const live = work.phase === "talking" || work.phase === "held";
  if (!live || work.flow || work.written) return [];
  return services.find((s) => s.id === work.service?.id)?.flows ?? [];
}

/** The steps so far as people read them, the last where the caller is; of many the last few. */
export function wayOf(steps: string[]): string {
  const shown = steps.slice(-SHOWN).map(asWords);
  return (steps.length > SHOWN ? ["…", ...shown] : shown).join(" › ");
}

const SHOWN = 6;
