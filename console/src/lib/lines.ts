// Lists that are edited as text, an entry a line.

/** Commas and blanks part entries as well: lists are pasted as they come. */
export function fromLines(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter((entry) => entry !== ""))];
}

export function toLines(entries: readonly string[]): string {
  return entries.join("\n");
}
