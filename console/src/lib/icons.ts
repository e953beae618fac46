// Pictures of the reasons for being Not ready, by the names that the appliance knows.

import { CircleMinus, Coffee, GraduationCap, MapPinOff, PhoneCall, Users, Utensils } from "@lucide/svelte";

export const reasonIcons = { lunch: Utensils, coffee: Coffee, meeting: Users, training: GraduationCap, away: MapPinOff, busy: PhoneCall };
export type ReasonIcon = keyof typeof reasonIcons;

/** The picture of a reason; a name that is not known has a plain one. */
export function reasonIcon(name: string): typeof CircleMinus {
  return (reasonIcons as Record<string, typeof CircleMinus>)[name] ?? CircleMinus;
}
