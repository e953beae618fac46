// What a banner says: of an offer that was not taken it depends on whose call it was and on what became of the agent.

import type { Banner, OfferView, ReasonKind } from "./api";
import { fill } from "./format";
import { renamed } from "./labels";
import type { Words } from "./words/en";

/** Banners that say why somebody is Not ready; STATE-15: only a person ends it. */
export const AWAY = ["missed_offer", "declined_offer", "offer_unreachable"];
const kinds: Record<string, ReasonKind> = { missed_offer: "no_answer", declined_offer: "declined", offer_unreachable: "connection_lost" };

/**
 * The banner as it is kept, or nothing when it tells no news. `over` is the offer that just ended. VOICE-08: nobody becomes Not
 * ready over a colleague's call, so only that it was missed is told; and who declined and stays Ready knows it.
 */
export function news({ level, code, params }: Banner, over: OfferView | null): Banner | null {
  if (!AWAY.includes(code)) return { level, code, params };
  const internal = over?.direction === "internal";
  if (code === "declined_offer" && (internal || params["reason"] === null)) return null;
  if (!internal) return { level, code, params };
  const name = over.colleague?.name ?? over.caller_name ?? over.caller;
  return { level: "info", code: code === "missed_offer" ? "missed_colleague" : "colleague_unreachable", params: { ...params, name } };
}

export function newsText({ code, params }: Banner, words: Words, clock: (ms: number) => string): string {
  const w = words.banner as Record<string, string>;
  const { at, reason } = params;
  const values = { ...params, code, time: typeof at === "number" ? clock(at) : "" };
  // Of a chat or an email in its own words.
  const own = params["channel"] === "email" ? "_email" : params["channel"] ? "_chat" : "_offer";
  const name = code === "email_assigned" ? `email_${params["why"]}` : code.replace("_offer", own);
  const known = w[name];
  if (!known) return fill(words.banner.other, values);
  if (!AWAY.includes(code)) return fill(known, values);
  // `reason` is null when the rules of the group left the agent as they were.
  const stays = reason === null ? w[`${name}_only`] : undefined;
  if (stays) return fill(stays, values);
  // STATE-13: messages use the tenant's own name for it.
  const named = typeof reason === "string" && renamed(kinds[code] ?? "chosen", reason);
  return fill(known, { ...values, state: named ? `${words.state.not_ready} · ${reason}` : words.state.not_ready });
}
