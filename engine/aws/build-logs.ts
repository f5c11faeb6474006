import { type CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";

import { problemOf } from "./errors.ts";

/** What builds write, in CloudWatch Logs. */
export const cloudWatchBuildLogs = (client: CloudWatchLogsClient) => ({
  /**
   * A page from a token on; the same token again means that there is nothing more for now. A log that has not begun is
   * empty. "invalid-token": the token is not of this log, or is too old (CloudWatch forgets one after a day).
   */
  read: async (
    { group, stream }: { group: string; stream: string },
    next: string | undefined,
  ): Promise<{ lines: { timestamp: number; message: string }[]; next: string | null } | "invalid-token"> => {
    try {
      const { events = [], nextForwardToken } = await client.send(
        new GetLogEventsCommand({ logGroupName: group, logStreamName: stream, startFromHead: true, limit: 1_000, nextToken: next }),
      );
      return { lines: events.map(({ timestamp = 0, message = "" }) => ({ timestamp, message })), next: nextForwardToken ?? null };
    } catch (error) {
      const problem = problemOf(error);
      if (problem === "missing") return { lines: [], next: null };
      if (problem === "refused" && next !== undefined) return "invalid-token";
      throw error;
    }
  },

  /**
   * The end of a log, as it was written; nothing where there is no such log. `logs` is `<group>:<stream>`. It is one call,
   * and costs the same however long the log is: CloudWatch gives at most 10,000 lines and a megabyte. An error that
   * lies before that is not found, and the first one in it is taken for the first.
   */
  end: async (logs: string): Promise<string[]> => {
    const colon = logs.indexOf(":");
    if (colon < 1) return [];
    try {
      const { events = [] } = await client.send(
        new GetLogEventsCommand({
          logGroupName: logs.slice(0, colon),
          logStreamName: logs.slice(colon + 1),
          startFromHead: false,
          limit: 10_000,
        }),
      );
      return events.flatMap(({ message = "" }) => message.replace(/\n$/, "").split("\n"));
    } catch (error) {
      if (problemOf(error) === "missing") return [];
      throw error;
    }
  },
});
