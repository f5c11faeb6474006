import { describe, expect, it } from "vitest";
import { z } from "zod";
import { event } from "../../../domain/kernel/event.ts";
import { reader, UnknownEvent } from "../../../domain/kernel/upcast.ts";

const LampLit = event("LampLit", 3, { lamp: z.string(), colour: z.string(), watts: z.number() });
const LampBroken = event("LampBroken", 1, { lamp: z.string() });
type LampEvent = z.infer<typeof LampLit> | z.infer<typeof LampBroken>;

const read = reader<LampEvent>([LampLit, LampBroken] as unknown as z.ZodType<LampEvent>[], {
  LampLit: {
    1: (body: { name: string }) => ({ lamp: body.name, colour: "white" }),
    2: (body: { lamp: string; colour: string }) => ({ ...body, watts: body.colour === "white" ? 5 : 8 }),
  },
});

describe("a stored event", () => {
  it("of today reads as it is", () => {
    const lit = { type: "LampLit", v: 3, body: { lamp: "north", colour: "red", watts: 8 } };
    expect(read(lit)).toEqual(lit);
  });
  it("of an old version reads as one of today", () => {
    expect(read({ type: "LampLit", v: 1, body: { name: "north" } })).toEqual({
      type: "LampLit",
      v: 3,
      body: { lamp: "north", colour: "white", watts: 5 },
    });
    expect(read({ type: "LampLit", v: 2, body: { lamp: "south", colour: "red" } })).toMatchObject({ v: 3, body: { watts: 8 } });
  });
  it("is not changed by being read", () => {
    const stored = { type: "LampLit", v: 1, body: { name: "north" } };
    read(stored);
    expect(stored).toEqual({ type: "LampLit", v: 1, body: { name: "north" } });
  });
  it("of a kind that this release does not know is a fault that says what to do", () => {
    expect(() => read({ type: "LampSold", v: 1, body: {} })).toThrow(UnknownEvent);
    expect(() => read({ type: "LampSold", v: 1, body: {} })).toThrow(/"LampSold".*newer one/);
  });
  it("of a version that this release does not know is a fault", () => {
    expect(() => read({ type: "LampLit", v: 4, body: { lamp: "north", colour: "red", watts: 8 } })).toThrow(UnknownEvent);
  });
  it("that does not have its shape is a fault that names the place", () => {
    expect(() => read({ type: "LampBroken", v: 1, body: { lamp: 7 } })).toThrow(/LampBroken@1.*body\.lamp/);
  });
});
