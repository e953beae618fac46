import { expect, test, vi } from "vitest";
import { Answers } from "./answers";

function desk(kept = "") {
  const drafts: Record<string, string> = {};
  const put: string[] = [];
  const api = {
    get: async () => ({ text: kept }) as never,
    call: async (_method: string, _path: string, body: unknown) => (put.push((body as { text: string }).text), {} as never),
  };
  const shown = { of: (id: string) => ({ draft: drafts[id] ?? "" }), draft: (id: string, text: string) => void (drafts[id] = text) };
  return { answers: new Answers(api, shown), drafts, put };
}

test("an answer is kept when typing stops, and at once when the email is left (MAIL-17)", async () => {
  vi.useFakeTimers();
  const { answers, put } = desk();
  answers.type("a", "De");
  answers.type("a", "Dear");
  expect(put).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(put).toEqual(["Dear"]);
  answers.type("a", "Dear Mrs Lind");
  await answers.save("a");
  await answers.save("a");
  expect(put).toEqual(["Dear", "Dear Mrs Lind"]);
  vi.useRealTimers();
});

test("what is sent is not kept any more", async () => {
  vi.useFakeTimers();
  const { answers, put, drafts } = desk();
  answers.type("a", "Dear");
  answers.sent("a");
  await vi.advanceTimersByTimeAsync(1_000);
  expect([put, drafts["a"]]).toEqual([[], ""]);
  vi.useRealTimers();
});

test("what was typed before comes back, unless something newer is typed here", async () => {
  const { answers, drafts } = desk("from yesterday");
  await answers.recall("a");
  expect(drafts["a"]).toBe("from yesterday");
  answers.type("b", "new");
  await answers.recall("b");
  expect(drafts["b"]).toBe("new");
  answers.sent("b");
});
