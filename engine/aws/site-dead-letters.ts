import { GetQueueAttributesCommand, GetQueueUrlCommand, type Message, PurgeQueueCommand, type SQSClient } from "@aws-sdk/client-sqs";
import * as z from "zod";
import { revalidation, siteResources } from "../../blueprint/site-resources.ts";
import { type DeadLetter, type HeldLetters, holdLetters } from "./dead-letter.ts";
import { problemOf, unlessMissing } from "./errors.ts";
import { peek, sentAt, type Wanted } from "./peek.ts";

/** SQS takes a minute to forget what is in a queue, and is asked once in that time. */
export class EmptiedBefore extends Error {
  override readonly name = "EmptiedBefore";
}

/** What OpenNext's server writes into the revalidation queue. */
const Revalidation = z.object({ host: z.string(), url: z.string() });

/**
 * Pages of a site that its revalidation function asked for several times and could not confirm as made again. Most of them
 * were: OpenNext does not see it of some pages, so these are no fault of the engine's, and nothing is lost with them.
 */
export const siteDeadLetters = (client: SQSClient) => {
  const urlNamed = async (QueueName: string): Promise<string> => (await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? "";
  const urlOf = (site: string, environment: string): Promise<string | undefined> =>
    unlessMissing(urlNamed(siteResources(site, environment).revalidationDeadLetters));
  return {
    list: async (site: string, environment: string): Promise<DeadLetter[]> => {
      const QueueUrl = await urlOf(site, environment);
      if (QueueUrl === undefined) return [];
      return (await peek(client, QueueUrl)).map((message) => letterOf(site, environment, message));
    },
    /** Holds those whose id begins like this. */
    holdLetters: async (site: string, environment: string, wanted: Wanted): Promise<HeldLetters> => {
      const dead = await urlOf(site, environment);
      if (dead === undefined) return { letters: [], more: false };
      const origin = (): Promise<string> => urlNamed(siteResources(site, environment).revalidationQueue);
      return holdLetters(client, { dead, origin, wanted, read: (message) => letterOf(site, environment, message) });
    },
    /** Forgets all of them. Answers about how many there were. @throws EmptiedBefore */
    empty: async (site: string, environment: string): Promise<number> => {
      const QueueUrl = await urlOf(site, environment);
      if (QueueUrl === undefined) return 0;
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
      );
      await client.send(new PurgeQueueCommand({ QueueUrl })).catch((error: Error) => {
        throw problemOf(error) === "busy" ? new EmptiedBefore(`the dead letters of ${site}/${environment} are being emptied`) : error;
      });
      return Number(Attributes.ApproximateNumberOfMessages ?? 0);
    },
  };
};
export type SiteDeadLetters = ReturnType<typeof siteDeadLetters>;

const letterOf = (site: string, environment: string, message: Message): DeadLetter => ({
  consumer: `revalidation of ${site}/${environment}`,
  messageId: message.MessageId ?? "",
  reason: reasonOf(message.Body ?? ""),
  at: sentAt(message),
  body: message.Body ?? "",
  tries: revalidation.maxReceives,
});

const reasonOf = (body: string): string => {
  const { success, data } = Revalidation.safeParse(parsed(body));
  const page = success ? data.url : "a page that its message does not name";
  return `OpenNext could not confirm that ${page} was made again; known of partially prerendered pages and of trailingSlash, see docs/features.md`;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
