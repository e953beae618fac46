import { describe, expect, it } from "vitest";
import type { CallRow, ServerEvent } from "./api";
import { emptyDesk, fold } from "./desk";
import { attendable } from "./supervision";

const call = (fields: Partial<CallRow>) => ({ interaction: "1", agent: "anna", service: { id: "s", name: "Help" }, phase: "talking", ...fields }) as CallRow;

describe("calls in which a supervisor takes part", () => {
  it("are customers' calls in which the agent talks or holds", () => {
    const own = call({ interaction: "2", phase: "held" });
    expect(attendable([call({ agent: "ben" }), own], "anna")).toBe(own);
    for (const none of [call({ phase: "wrap_up" }), call({ phase: "ringing" }), call({ service: null }), call({ agent: null })]) {
      expect(attendable([none], "anna")).toBeNull();
    }
  });

  it("are on the page while they last", () => {
    const attended = { interaction: "1", how: "monitor" };
    const told = (seq: number, event: object) => ({ seq, at: 0, ...event }) as ServerEvent;
    const desk = fold(emptyDesk(), told(1, { event: "attending", attended }), 0);
    expect(desk).toMatchObject({ attending: attended });
    expect(fold(desk as ReturnType<typeof emptyDesk>, told(2, { event: "attending_over", interaction: "1" }), 0)).toMatchObject({ attending: null });
  });
});
