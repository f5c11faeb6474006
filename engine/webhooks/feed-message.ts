import * as z from "zod";

/** What travels through the queue of `feed`: whose turn it is, and nothing of what is told. */
export const FeedMessage = z.object({
  webhook: z.string(),
  /** a person asked for it: a receiver that fails is tried now, and not when its wait is over */
  manual: z.boolean(),
});
export type FeedMessage = z.infer<typeof FeedMessage>;

/** The message that brings a subscription its turn. */
export const feedMessage = (webhook: string, { manual }: Pick<FeedMessage, "manual">): string =>
  JSON.stringify({ webhook, manual } satisfies FeedMessage);
