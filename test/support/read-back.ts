import type { Recorded } from "../../domain/kernel/event.ts";
import type { ReadBack } from "../../engine/log/read-back.ts";

/** Reads back in streams that a test holds whole. */
export const backIn = (events: (stream: string) => Promise<readonly Recorded[]>): ReadBack =>
  async function* (stream, before = Number.POSITIVE_INFINITY) {
    yield* (await events(stream)).filter(({ version }) => version < before).toReversed();
  };
