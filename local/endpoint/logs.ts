import { ACCOUNT, AwsError, type AwsService, REGION } from "../http.ts";
import type { LogLine, LogStore, StoredLine } from "./log-store.ts";
import { jsonService } from "./wire.ts";

type Named = { logGroupName: string; logStreamName: string };
type Range = { startTime?: number; endTime?: number };

const MOST_EVENTS = 10_000;

/** CloudWatch Logs over a log store. */
export function logsService(store: LogStore): AwsService {
  const streamsOf = (group: string): string[] => store.streams(group) ?? missing("group");

  return jsonService("logs", {
    CreateLogGroup({ logGroupName }: Named) {
      if (!store.createGroup(logGroupName)) exists("group");
    },
    DeleteLogGroup({ logGroupName }: Named) {
      if (!store.removeGroup(logGroupName)) missing("group");
    },
    DescribeLogGroups({ logGroupNamePrefix = "" }: { logGroupNamePrefix?: string }) {
      const named = store.groups().filter((group) => group.startsWith(logGroupNamePrefix));
      return { logGroups: named.map((logGroupName) => ({ logGroupName, arn: groupArn(logGroupName) })) };
    },
    PutRetentionPolicy({ logGroupName }: Named) {
      streamsOf(logGroupName); // nothing expires locally
    },
    CreateLogStream({ logGroupName, logStreamName }: Named) {
      streamsOf(logGroupName);
      if (!store.createStream(logGroupName, logStreamName)) exists("stream");
    },
    DescribeLogStreams({ logGroupName, logStreamNamePrefix = "" }: Named & { logStreamNamePrefix?: string }) {
      const named = streamsOf(logGroupName).filter((stream) => stream.startsWith(logStreamNamePrefix));
      return { logStreams: named.map((stream) => describeStream(logGroupName, stream, store.read(logGroupName, stream) ?? [])) };
    },
    PutLogEvents({ logGroupName, logStreamName, logEvents }: Named & { logEvents: LogLine[] }) {
      if (!streamsOf(logGroupName).includes(logStreamName)) missing("stream");
      store.append(logGroupName, logStreamName, logEvents);
      return { nextSequenceToken: "0" };
    },
    GetLogEvents({ logGroupName, logStreamName, limit, nextToken, startFromHead, ...range }: GetLogEventsInput) {
      streamsOf(logGroupName);
      const all = store.read(logGroupName, logStreamName) ?? missing("stream");
      return page(
        all.filter((line) => within(line, range)),
        Math.min(limit ?? MOST_EVENTS, MOST_EVENTS),
        nextToken,
        startFromHead ?? false,
      );
    },
    FilterLogEvents({ logGroupName, logStreamNames, filterPattern = "", limit, ...range }: FilterLogEventsInput) {
      const words = filterPattern.replaceAll('"', "");
      const events = (logStreamNames ?? streamsOf(logGroupName)).flatMap((logStreamName) =>
        (store.read(logGroupName, logStreamName) ?? [])
          .filter((line) => within(line, range) && line.message.includes(words))
          .map((line, at) => ({ ...line, logStreamName, eventId: `${logStreamName}/${at}` })),
      );
      events.sort((a, b) => a.timestamp - b.timestamp);
      return { events: events.slice(0, Math.min(limit ?? MOST_EVENTS, MOST_EVENTS)) };
    },
  });
}

type GetLogEventsInput = Named & Range & { limit?: number; nextToken?: string; startFromHead?: boolean };
type FilterLogEventsInput = Range & { logGroupName: string; logStreamNames?: string[]; filterPattern?: string; limit?: number };

/**
 * A token is `f/<n>` (forward: n lines were shown) or `b/<n>` (backward: the page ended before line n).
 * At the end the forward token is the one that was given, which is how a client knows it.
 */
function page(lines: readonly StoredLine[], limit: number, token: string | undefined, fromHead: boolean) {
  const [, direction, digits] = /^([fb])\/(\d+)$/.exec(token ?? "") ?? [];
  if (token !== undefined && !direction) throw new AwsError("InvalidParameterException", 400, "The specified nextToken is invalid.");
  const forward = direction ? direction === "f" : fromHead;
  const from = digits === undefined ? (forward ? 0 : lines.length) : Math.min(Number(digits), lines.length);
  const [start, end] = forward ? [from, Math.min(from + limit, lines.length)] : [Math.max(from - limit, 0), from];
  return { events: lines.slice(start, end), nextForwardToken: `f/${end}`, nextBackwardToken: `b/${start}` };
}

const within = ({ timestamp }: StoredLine, { startTime, endTime }: Range): boolean =>
  (startTime === undefined || timestamp >= startTime) && (endTime === undefined || timestamp < endTime);

const describeStream = (group: string, logStreamName: string, lines: readonly StoredLine[]) => ({
  logStreamName,
  arn: `${groupArn(group).replace(/\*$/, "")}log-stream:${logStreamName}`,
  ...(lines.length > 0 && {
    firstEventTimestamp: lines[0]?.timestamp,
    lastEventTimestamp: lines.at(-1)?.timestamp,
    lastIngestionTime: lines.at(-1)?.ingestionTime,
  }),
});

const groupArn = (group: string): string => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}:*`;

function missing(what: "group" | "stream"): never {
  throw new AwsError("ResourceNotFoundException", 400, `The specified log ${what} does not exist.`);
}
function exists(what: "group" | "stream"): never {
  throw new AwsError("ResourceAlreadyExistsException", 400, `The specified log ${what} already exists.`);
}
