// What flows noted of a caller, as people read it (ROUTE-07).

export interface NotedValue {
  name: string;
  label: string;
  value: string;
}

/** Each value with its name as words: `account_number` is "Account number"; some names are known in each language. */
export function notedValues(noted: Record<string, string>, known: Record<string, string> = {}): NotedValue[] {
  return Object.entries(noted).map(([name, value]) => {
    const label = known[name];
    if (label) return { name, label, value };
    return { name, label: asWords(name), value };
  });
}

/** A name of a flow as words: `account_number` and `account-number` are "Account number". */
export function asWords(name: string): string {
  const words = name.replace(/[_-]+/g, " ").trim() || name;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
