import { consumers } from "../../blueprint/topology.ts";
import { environmentStream } from "../../domain/kernel/identity.ts";
import type { HeldLetter, HeldLetters } from "../../engine/aws/dead-letter.ts";
import type { Wanted } from "../../engine/aws/peek.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { aboutOf } from "./letter-about.ts";
import type { DeadLetters, Letter } from "./ports.ts";

type Parts = Pick<Engine, "queues" | "siteLetters" | "config" | "clock">;

/** The dead letters of all queues, those of the consumers before those of the sites. */
export const letterQueues = ({ queues, siteLetters, config, clock }: Parts): DeadLetters => {
  const ofPage = (site: string, environment: string) => ({ stream: environmentStream(site, environment), event: null, type: null });

  const look = async (wanted: Wanted): Promise<{ letters: (HeldLetter & Letter)[]; more: string[] }> => {
    const found = await Promise.all([
      ...consumers.map(async ({ name }) => withAbout(name, await queues.holdLetters(name, wanted), ({ body }) => aboutOf(body))),
      ...config.sites.map(async ({ site, environment }) =>
        withAbout(`revalidation of ${site}/${environment}`, await siteLetters.holdLetters(site, environment, wanted), () =>
          ofPage(site, environment),
        ),
      ),
    ]);
    return { letters: found.flatMap(({ letters }) => letters), more: found.flatMap(({ more }) => more) };
  };

  return {
    list: async () => {
      const ofConsumers = await Promise.all(consumers.map(async ({ name }) => ({ name, found: await queues.deadLetters(name) })));
      const ofSites = await Promise.all(
        config.sites.map(async ({ site, environment }) =>
          (await siteLetters.list(site, environment)).map((letter) => ({ ...letter, about: ofPage(site, environment) })),
        ),
      );
      return {
        letters: [
          ...ofConsumers.flatMap(({ found = [] }) => found.map((letter) => ({ ...letter, about: aboutOf(letter.body) }))),
          ...ofSites.flat(),
        ],
        unread: ofConsumers.flatMap(({ name, found }) => (found === undefined ? [name] : [])),
      };
    },
    hold: async (beginning, { afterMs } = { afterMs: 0 }) => {
      if (afterMs > 0) await clock.sleep(afterMs);
      const atOnce = await look({ beginning, waitSeconds: 0 });
      if (atOnce.letters.some(({ messageId }) => messageId === beginning)) return atOnce;
      // whether others begin like this, or whether there is none, takes a look that misses nothing
      await Promise.all(atOnce.letters.map((letter) => letter.giveBack()));
      return look({ beginning, waitSeconds: 1 });
    },
    empty: siteLetters.empty,
  };
};

const withAbout = (name: string, { letters, more }: HeldLetters, about: (letter: HeldLetter) => Letter["about"]) => ({
  letters: letters.map((letter) => ({ ...letter, about: about(letter) })),
  more: more ? [name] : [],
});
