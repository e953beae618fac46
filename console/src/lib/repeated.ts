// What is asked anew while it is looked at.

const PAUSE_MS = 2_000;

/** Does it now and every two seconds, until the returned function is called. Made to be the body of an `$effect`. */
export function repeated(ask: () => Promise<void>): () => void {
  void ask();
  const timer = setInterval(ask, PAUSE_MS);
  return () => clearInterval(timer);
}
