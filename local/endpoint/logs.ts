import { ACCOUNT, AwsError, type AwsService, REGION } from "../http.ts";
import type { LogLine, LogPage, LogStore, PageAt, StoredLine } from "./log-store.ts";
import { jsonService } from "./wire.ts";

type Named = { logGroupName: string; logStreamName: string };
type Range = { startTime?: number; endTime?: number };

const MAX_EVENTS = 10_000;

/** CloudWatch Logs over a log store. */
export function logsService(store: LogStore): AwsService {
  const streamsOf = (group: string): string[] => store.streams(group) ?? missing("group");
  const mustHave = (group: string): void => {
    if (!store.hasGroup(group)) missing("group");
  };

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
      mustHave(logGroupName); // nothing expires locally
    },
    CreateLogStream({ logGroupName, logStreamName }: Named) {
      mustHave(logGroupName);
      if (!store.createStream(logGroupName, logStreamName)) exists("stream");
    },
    async DescribeLogStreams({ logGroupName, logStreamNamePrefix = "" }: Named & { logStreamNamePrefix?: string }) {
      const named = streamsOf(logGroupName).filter((stream) => stream.startsWith(logStreamNamePrefix));
      const ends = async (stream: string): Promise<StoredLine[]> => {
        const [first, last] = await Promise.all([
          store.page(logGroupName, stream, { from: 0 }, 1),
          store.page(logGroupName, stream, { to: undefined }, 1),
        ]);
        return [...(first?.lines ?? []), ...(last?.lines ?? [])];
      };
      const logStreams = [];
      for (const stream of named) logStreams.push(describeStream(logGroupName, stream, await ends(stream)));
      return { logStreams };
    },
    PutLogEvents({ logGroupName, logStreamName, logEvents }: Named & { logEvents: LogLine[] }) {
      mustHave(logGroupName);
      if (!store.hasStream(logGroupName, logStreamName)) missing("stream");
      store.append(logGroupName, logStreamName, logEvents);
      return { nextSequenceToken: "0" };
    },
    async GetLogEvents({ logGroupName, logStreamName, limit, nextToken, startFromHead, ...range }: GetLogEventsInput) {
      mustHave(logGroupName);
      const at = pageAt(nextToken, startFromHead ?? false);
      const found = await store.page(logGroupName, logStreamName, at, Math.min(limit ?? MAX_EVENTS, MAX_EVENTS));
      return answerOf(found ?? missing("stream"), range);
    },
    async FilterLogEvents({ logGroupName, logStreamNames, filterPattern = "", limit, ...range }: FilterLogEventsInput) {
      const words = filterPattern.replaceAll('"', "");
      const most = Math.min(limit ?? MAX_EVENTS, MAX_EVENTS);
      const events: FilteredEvent[] = [];
      for (const logStreamName of logStreamNames ?? streamsOf(logGroupName)) {
        let matching = 0;
        for (let from = 0, more = true; more && matching < most; ) {
          const page = await store.page(logGroupName, logStreamName, { from }, MAX_EVENTS);
          for (const line of page?.lines ?? [])
            if (within(line, range) && line.message.includes(words))
              events.push({ ...line, logStreamName, eventId: `${logStreamName}/${matching++}` });
          more = page !== undefined && page.end > from;
          from = page?.end ?? from;
        }
      }
      events.sort((a, b) => a.timestamp - b.timestamp);
      return { events: events.slice(0, most) };
    },
  });
}

type GetLogEventsInput = Named & Range & { limit?: number; nextToken?: string; startFromHead?: boolean };
type FilterLogEventsInput = Range & { logGroupName: string; logStreamNames?: string[]; filterPattern?: string; limit?: number };

type FilteredEvent = StoredLine & { logStreamName: string; eventId: string };

/**
 * A token is `f/<n>` (forward: n bytes of the stream's file were shown) or `b/<n>` (backward: the page ended before byte n),
 * so that a page costs what it shows, however long the log is. At the end the forward token is the one that was given,
 * which is how a client knows it.
 */
function pageAt(token: string | undefined, fromHead: boolean): PageAt {
  if (token === undefined) return fromHead ? { from: 0 } : { to: undefined };
  const [, direction, digits] = /^([fb])\/(\d+)$/.exec(token) ?? [];
  if (direction === undefined) throw new AwsError("InvalidParameterException", 400, "The specified nextToken is invalid.");
  return direction === "f" ? { from: Number(digits) } : { to: Number(digits) };
}

/** What is out of the range is left out of its page: as on AWS, a page may be empty and not the last one. */
const answerOf = ({ lines, start, end }: LogPage, range: Range) => ({
  events: lines.filter((line) => within(line, range)),
  nextForwardToken: `f/${end}`,
  nextBackwardToken: `b/${start}`,
});

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
