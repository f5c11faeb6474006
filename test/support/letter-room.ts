import type { Letter } from "../../services/api/ports.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

/** A message about an event that lacks most of one: no consumer of events can ever take it. */
export const event = (id: string): string =>
  JSON.stringify({ detail: { stream: "environment/web/production", id, type: "FlipRequested" } });

export type LetterRoom = ReturnType<typeof letterRoom>;

/** The dead letters of a world. */
export const letterRoom = ({ api, dev }: Pick<World, "api" | "dev">) => {
  const letters = async (): Promise<Letter[]> => (await api.get("dead-letters")).body.letters;
  return {
    letters,
    /** Sends a consumer what it cannot take, and answers the dead letter that it makes of it. */
    poison: async (consumer: string, body: string): Promise<Letter> => {
      const before = new Set((await letters()).map(({ messageId }) => messageId));
      await dev.engine.queues.send(consumer, body);
      return until(`${consumer} to put it aside`, async () =>
        (await letters()).find((letter) => letter.body === body && !before.has(letter.messageId)),
      );
    },
    /** Stream, reason and actor of each event of a type. */
    told: async (type: string): Promise<[stream: string, reason: string | undefined, actor: string][]> =>
      (await api.get(`events?since=${new Date(0).toISOString()}&type=${type}&limit=1000`)).body.events.map(
        ({ stream, body, actor }: { stream: string; body: { reason?: string }; actor: string }) => [stream, body.reason, actor],
      ),
    /** As somebody leaves a letter who is cut off after the log has it that they dropped it. */
    dropHalf: async ({ messageId, consumer, reason }: Letter, why: string): Promise<void> => {
      const because = { cause: `api/${messageId}`, correlation: `api/${messageId}`, actor: "bob" };
      await dev.engine.aggregates.letter.execute(
        messageId,
        { type: "DropLetter", consumer, failure: reason, about: null, reason: why },
        because,
      );
    },
    forget: async (): Promise<void> => {
      for (const { messageId } of await letters()) await api.post(`dead-letters/${messageId}/drop`, { reason: "after a test" });
    },
  };
};
