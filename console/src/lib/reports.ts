// What agents report as not working (QUAL-03). Rust twin: desk/src/reports.rs.

import type { Millis } from "./api";

export const faults = ["echo", "noise", "distortion", "sound_lost", "ended_unexpectedly", "other"] as const;
export type Fault = (typeof faults)[number];

/** Whether something can have gone wrong in it already. */
export function canBeReported(work: { phase: string }): boolean {
  return work.phase !== "reserved" && work.phase !== "refused";
}

export interface ReportItem {
  id: string;
  at: Millis;
  agent: string;
  agent_name: string;
  interaction: string | null;
  fault: Fault;
  remark: string;
  log_size: number;
  done_at: Millis | null;
  done_by_name: string | null;
}
