import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem, type ServerEvent } from "./api";
import { Connection } from "./connection";

class FakeSocket {
  static made: FakeSocket[] = [];
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  readyState = 0;
  sent: { id: number; do: string }[] = [];
  onopen = () => undefined as void;
  onmessage = (_: { data: string }) => undefined as void;
  onclose = (_: { code: number }) => undefined as void;
  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen();
  }
  closes(code: number) {
    this.readyState = 3;
    this.onclose({ code });
  }
  says(frame: unknown) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
}
const last = () => FakeSocket.made.at(-1) as FakeSocket;

let happened: string[];
let seq: number;
const connect = () => {
  const connection = new Connection("token", () => seq, {
    event: (e: ServerEvent) => happened.push(e.event),
    up: () => happened.push("up"),
    down: () => happened.push("down"),
    refused: () => happened.push("refused"),
    replaced: () => happened.push("replaced"),
  });
  connection.open();
  return connection;
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { protocol: "https:", host: "console.test" });
  FakeSocket.made = [];
  happened = [];
  seq = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("after a cut it comes back and asks for what it missed", () => {
  connect();
  expect(last().url).toBe("wss://console.test/api/v1/console?csrf=token");
  last().opens();
  seq = 41;
  last().closes(1006);
  vi.advanceTimersByTime(300);
  expect(last().url).toContain("&after=41");
  last().opens();
  expect(happened).toEqual(["up", "down", "up"]);
});

test("the page that was replaced by a newer one stays away: two pages must not take turns for ever", () => {
  connect();
  last().opens();
  last().closes(4001);
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(1);
  expect(happened).toEqual(["up", "replaced"]);
});

test("each try waits longer, and a handshake refused again and again asks whether the session is over", () => {
  connect();
  for (const wait of [250, 500, 1_000, 2_000]) {
    last().closes(1006);
    const before = FakeSocket.made.length;
    vi.advanceTimersByTime(wait - 1);
    expect(FakeSocket.made).toHaveLength(before);
    vi.advanceTimersByTime(1);
    expect(FakeSocket.made).toHaveLength(before + 1);
  }
  expect(happened.filter((h) => h === "refused")).toHaveLength(2);
});

test("a command's answer finds its caller, a refusal too, in any order", async () => {
  const connection = connect();
  last().opens();
  const hold = connection.send("hold");
  const code = connection.send("code");
  last().says({ re: 2, problem: { type: "/problems/not-now", title: "Not now", status: 409 } });
  last().says({ re: 1, ok: { held: true } });
  await expect(hold).resolves.toEqual({ held: true });
  await expect(code).rejects.toMatchObject({ code: "not-now" });
});

test("silence for long makes the page ask; no answer means the path is dead, and it connects anew", async () => {
  connect();
  last().opens();
  vi.advanceTimersByTime(40_000);
  expect(last().sent.map((f) => f.do)).toEqual(["resync"]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(FakeSocket.made).toHaveLength(2);
  expect(happened).toEqual(["up", "down"]);
});

test("commands that were under way when the path broke fail at once", async () => {
  const connection = connect();
  last().opens();
  const hold = connection.send("hold");
  last().closes(1006);
  await expect(hold).rejects.toBeInstanceOf(Problem);
  await expect(connection.send("mute")).rejects.toMatchObject({ code: "unreachable" });
});
