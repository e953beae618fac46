// What a service does with callers that it does not queue (ROUTE-07), as one choice in a list.

export type Treatment = "announce" | "reject" | "queue" | "voicemail" | { service: string } | { flow: string };

/** The value of a choice: `announce`, `service:ID`, `flow:ID`; nothing for "as usual". */
export function chosen(treatment: Treatment | null): string {
  if (treatment === null) return "";
  if (typeof treatment === "string") return treatment;
  return "service" in treatment ? `service:${treatment.service}` : `flow:${treatment.flow}`;
}

export function treatmentOf(choice: string): Treatment | null {
  const [kind, id] = choice.split(":", 2);
  if (kind === "service" && id) return { service: id };
  if (kind === "flow" && id) return { flow: id };
  return kind === "announce" || kind === "reject" || kind === "queue" || kind === "voicemail" ? kind : null;
}
