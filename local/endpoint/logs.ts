import { AwsError, type AwsService } from "../http.ts";
import type { LogPage, LogStore, PageAt, StoredLine } from "./log-store.ts";
import { jsonService } from "./wire.ts";

type Range = { startTime?: number; endTime?: number };

const MAX_EVENTS = 10_000;

/** CloudWatch Logs, as far as reading goes: local services write into the log store itself. */
export function logsService(store: LogStore): AwsService {
  return jsonService("logs", {
    async GetLogEvents({ logGroupName, logStreamName, limit, nextToken, startFromHead, ...range }: GetLogEventsInput) {
      if (!store.hasGroup(logGroupName)) missing("group");
      const at = pageAt(nextToken, startFromHead ?? false);
      const found = await store.page(logGroupName, logStreamName, at, Math.min(limit ?? MAX_EVENTS, MAX_EVENTS));
      return answerOf(found ?? missing("stream"), range);
    },
  });
}

type GetLogEventsInput = Range & {
  logGroupName: string;
  logStreamName: string;
  limit?: number;
  nextToken?: string;
  startFromHead?: boolean;
};

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

function missing(what: "group" | "stream"): never {
  throw new AwsError("ResourceNotFoundException", 400, `The specified log ${what} does not exist.`);
}
