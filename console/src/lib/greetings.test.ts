import { describe, expect, it } from "vitest";
import { addPath, audioPath, mixed, wav } from "./greetings";

describe("greetings", () => {
  it("have addresses of their owner's", () => {
    expect(addPath("user_1", " В отпуске & co ")).toBe("/users/user_1/greetings?name=%D0%92%20%D0%BE%D1%82%D0%BF%D1%83%D1%81%D0%BA%D0%B5%20%26%20co");
    expect(audioPath("user_1", "greeting_2")).toBe("/users/user_1/greetings/greeting_2/audio");
  });
  it("VM-03: any number of channels becomes one", () => {
    expect([...mixed([new Float32Array([1, 0, -1]), new Float32Array([0, 0, -1])])]).toEqual([0.5, 0, -1]);
    expect(mixed([]).length).toBe(0);
  });
  it("VM-03: are sent as WAV of 16 bits, and what is too loud is cut, not turned over", async () => {
    const file = wav(new Float32Array([0, 1, -2, 0.5]), 16_000);
    expect([file.type, file.size]).toEqual(["audio/wav", 52]);
    const view = new DataView(await file.arrayBuffer());
    const word = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
    expect([word(0), word(8), word(12), word(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
    expect([view.getUint32(4, true), view.getUint32(24, true), view.getUint32(40, true)]).toEqual([44, 16_000, 8]);
    expect([44, 46, 48, 50].map((at) => view.getInt16(at, true))).toEqual([0, 32_767, -32_767, 16_384]);
  });
});
