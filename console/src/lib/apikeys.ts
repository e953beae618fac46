// Keys of programs (API-03). Rust twin: control-api/src/api_keys.rs.

import type { Handling, Millis, Privilege } from "./api";

/** A key is offered nothing. */
export type KeyPrivilege = Exclude<Privilege, Handling>;

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  privileges: KeyPrivilege[];
  created_at: Millis;
  created_by: string | null;
  expires_at: Millis;
  used_at: Millis | null;
  revoked_at: Millis | null;
}

/** The privileges that a key can have a use for, in the order in which they are offered. */
export const allPrivileges: KeyPrivilege[] = ["supervise", "see_all_records", "see_configuration", "administer", "erase_recordings", "take_interactions", "block_callers", "bring_contacts"];

/** Whether a key still opens anything, and if not, why. */
export function keyState(key: Pick<ApiKey, "expires_at" | "revoked_at">, now: Millis): "live" | "revoked" | "expired" {
  if (key.revoked_at !== null) return "revoked";
  return now < key.expires_at ? "live" : "expired";
}
