import { type CloudWatchLogsClient, GetLogEventsCommand, ResourceNotFoundException } from "@aws-sdk/client-cloudwatch-logs";

/** What builds write, in CloudWatch Logs. */
export const cloudWatchBuildLogs = (client: CloudWatchLogsClient) => ({
  /** A page from a token on; the same token again means that there is nothing more for now. A log that has not begun is empty. */
  read: async (
    { group, stream }: { group: string; stream: string },
    next: string | undefined,
  ): Promise<{ lines: { timestamp: number; message: string }[]; next: string | null }> => {
    try {
      const { events = [], nextForwardToken } = await client.send(
        new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: true, limit: 1_000, nextToken: next }),
      );
      return { lines: events.map(({ timestamp = 0, message = "" }) => ({ timestamp, message })), next: nextForwardToken ?? null };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return { lines: [], next: null };
      throw error;
    }
  },
});
