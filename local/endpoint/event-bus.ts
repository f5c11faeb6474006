import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { ACCOUNT, AwsError, type AwsService, REGION } from "../http.ts";
import { type BusEvent, deliver, type Send } from "./event-delivery.ts";
import { type EventPattern, matchesPattern, parsePattern } from "./event-pattern.ts";
import { type Bus, type Buses, findBus, firstBuses, ruleArn, ruleOperations } from "./event-rules.ts";
import { openJsonFile } from "./json-file.ts";
import { jsonService } from "./wire.ts";

/** What a local service says to put an event on the default bus. */
export type EmittedEvent = { source: string; detailType: string; detail: unknown; time?: string; resources?: string[] };

export type EventBus = {
  readonly service: AwsService;
  emit(event: EmittedEvent): Promise<void>;
  /** While set, an event for which `predicate` is true is accepted and then lost before any rule sees it. */
  dropEvents(predicate: ((event: BusEvent) => boolean) | undefined): void;
};

type Entry = {
  Source?: string;
  DetailType?: string;
  Detail?: string;
  EventBusName?: string;
  Time?: number | string;
  Resources?: string[];
};
type EntryResult = { EventId: string } | { ErrorCode: string; ErrorMessage: string };

const LARGEST_CALL = 256 * 1024;

/** EventBridge: `PutEvents` answers when every matching target's queue holds the event, so what was answered survives a kill. */
export function openEventBus(dataDir: string, send: Send): EventBus {
  const file = openJsonFile<Buses>(join(dataDir, "event-bus.json"), firstBuses());
  let dropped: ((event: BusEvent) => boolean) | undefined;
  const parsed = new Map<string, EventPattern>();
  const patternOf = (text: string): EventPattern => {
    const known = parsed.get(text) ?? parsePattern(text);
    parsed.set(text, known);
    return known;
  };

  async function publish(bus: Bus, event: BusEvent): Promise<void> {
    if (dropped?.(event)) return;
    const rules = Object.values(bus.Rules).filter(
      (rule) => rule.State === "ENABLED" && matchesPattern(patternOf(rule.EventPattern), event),
    );
    await Promise.all(rules.flatMap((rule) => rule.Targets.map((target) => deliver(event, ruleArn(bus.Name, rule.Name), target, send))));
  }

  async function put(entry: Entry): Promise<EntryResult> {
    try {
      const bus = findBus(file.value, entry.EventBusName);
      const event = toEvent(entry);
      await publish(bus, event);
      return { EventId: event.id };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  }

  const service = jsonService("events", {
    ...ruleOperations(file),
    async PutEvents({ Entries = [] }: { Entries?: Entry[] }) {
      if (Entries.length < 1 || Entries.length > 10) {
        throw new AwsError("ValidationException", 400, `PutEvents takes 1 to 10 entries, not ${Entries.length}.`);
      }
      const size = Entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
      if (size > LARGEST_CALL) {
        throw new AwsError("ValidationException", 400, `The entries have ${size} bytes together; PutEvents takes ${LARGEST_CALL}.`);
      }
      const results: EntryResult[] = [];
      for (const entry of Entries) results.push(await put(entry));
      return { FailedEntryCount: results.filter((result) => "ErrorCode" in result).length, Entries: results };
    },
  });

  return {
    service,
    async emit({ source, detailType, detail, time, resources = [] }) {
      await publish(findBus(file.value), envelope(source, detailType, detail, time ? new Date(time) : new Date(), resources));
    },
    dropEvents(predicate) {
      dropped = predicate;
    },
  };
}

/** An accepted entry as an event; throws the `AwsError` whose code is the entry's error code. */
function toEvent({ Source, DetailType, Detail, Time, Resources = [] }: Entry): BusEvent {
  if (!Source) throw new AwsError("InvalidArgument", 400, "Parameter Source is not valid. Reason: Source is a required argument.");
  if (!DetailType)
    throw new AwsError("InvalidArgument", 400, "Parameter DetailType is not valid. Reason: DetailType is a required argument.");
  if (!Detail) throw new AwsError("InvalidArgument", 400, "Parameter Detail is not valid. Reason: Detail is a required argument.");
  if (Source.startsWith("aws.")) {
    throw new AwsError("NotAuthorizedForSourceException", 400, `Not authorized for the source ${Source}: only AWS services may use aws.*.`);
  }
  const time = Time === undefined ? new Date() : new Date(typeof Time === "number" ? Time * 1000 : Time);
  return envelope(Source, DetailType, parseDetail(Detail), time, Resources);
}

function parseDetail(text: string): unknown {
  let detail: unknown;
  try {
    detail = JSON.parse(text);
  } catch {
    // answered below
  }
  if (typeof detail !== "object" || detail === null || Array.isArray(detail)) {
    throw new AwsError("MalformedDetail", 400, "Detail is malformed: it must be a JSON object.");
  }
  return detail;
}

const envelope = (source: string, detailType: string, detail: unknown, time: Date, resources: string[]): BusEvent => ({
  version: "0",
  id: randomUUID(),
  "detail-type": detailType,
  source,
  account: ACCOUNT,
  time: `${time.toISOString().slice(0, 19)}Z`,
  region: REGION,
  resources,
  detail,
});

/** As AWS counts it: 14 bytes for a time, and the texts' UTF-8 bytes. */
const sizeOf = ({ Source = "", DetailType = "", Detail = "", Resources = [], Time }: Entry): number =>
  [Source, DetailType, Detail, ...Resources].reduce((sum, one) => sum + Buffer.byteLength(one), Time === undefined ? 0 : 14);
