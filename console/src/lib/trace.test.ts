import { describe, expect, test } from "vitest";
import { arrow, columns, failed, seconds, type TracedMessage } from "./trace";

const message = (theirs: string, outgoing: boolean, summary = "INVITE"): TracedMessage => ({
  at: 0, after_us: 1_234_567, outgoing, wire: "udp", ours: "us", theirs, summary, sdp: false, call_id: "a", cseq: "1 INVITE", text: "",
});

describe("the ladder of a call (SIP-08)", () => {
  const trace = { messages: [message("carrier", false), message("phone", true), message("carrier", true), message("other", false)], left_out: 0 };

  test("whoever called stands left of the appliance, the others right of it", () => {
    expect(columns(trace)).toEqual(["carrier", null, "phone", "other"]);
    expect(columns({ messages: [], left_out: 0 })).toEqual([]);
  });

  test("arrows go the way that messages went", () => {
    const arrows = trace.messages.map((m) => arrow(m, columns(trace)));
    expect(arrows).toEqual([
      { left: 0, right: 1, rightwards: true },
      { left: 1, right: 2, rightwards: true },
      { left: 0, right: 1, rightwards: false },
      { left: 1, right: 3, rightwards: false },
    ]);
  });

  test("refusals are marked, challenges and the answer to a cancelled call are not", () => {
    const marked = ["180 Ringing", "200 OK", "401 Unauthorized", "487 Request Terminated", "486 Busy Here", "503 Service Unavailable", "BYE"];
    expect(marked.filter((summary) => failed(message("x", true, summary)))).toEqual(["486 Busy Here", "503 Service Unavailable"]);
    expect(seconds(message("x", true))).toBe(1.235);
  });
});
