import { stripVTControlCharacters } from "node:util";
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

  /** The last lines that a build's own commands wrote; none where there is no such log. `logs` is `<group>:<stream>`. */
  tail: async (logs: string, lines: number): Promise<string[]> => {
    const colon = logs.indexOf(":");
    if (colon < 1) return [];
    try {
      const { events = [] } = await client.send(
        new GetLogEventsCommand({
          logGroupName: logs.slice(0, colon),
          logStreamName: logs.slice(colon + 1),
          startFromHead: false,
          limit: 100,
        }),
      );
      const printed = events.flatMap(({ message = "" }) => stripVTControlCharacters(message).replace(/\n$/, "").split("\n"));
      return printed.filter((line) => line.trim() !== "" && !FRAME.test(line)).slice(-lines);
    } catch (error) {
      if (problemOf(error) === "missing") return [];
      throw error;
    }
  },
});

/** What CodeBuild itself writes around the commands: after a failure it would push the error out of the last lines. */
const FRAME = /^\[Container\] \S+ \S+ (Entering phase|Phase complete|Phase context)/;
