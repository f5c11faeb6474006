import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { type Commit, commitHash, commitId, type Link } from "../../domain/kernel/chain.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import { MAX_CLOCK_SKEW_MS, nextPosition } from "../../domain/kernel/position.ts";
import { problemOf } from "../aws/errors.ts";
import { commitOf, dayOf, eventsOf, itemCodec, sha256, sortKey } from "./codec.ts";
import { nameDay } from "./days.ts";
import { eventLog } from "./log.ts";

/** Somebody else appended first: load again, decide again. The store's only error of its own. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

/** Where a stream ends. Opaque: the store alone gives one, for what it read or wrote, so nobody can invent a version. */
export type Head = { readonly [OPAQUE]: true };
const OPAQUE: unique symbol = Symbol("head");
type End = { readonly stream: string; readonly version: number; readonly position: string | undefined; readonly hash: string };

export type Decision = {
  readonly events: readonly AnyEvent[];
  /** id of the event or command that this follows from; the same cause is written once */
  readonly cause: string;
  /** position of the causing event, where it is one */
  readonly causePosition?: string | undefined;
  readonly correlation: string;
  readonly actor: string;
  /** credential and source address of who asked, where it came through the API */
  readonly origin?: string | undefined;
  /** milliseconds since 1970 */
  readonly now: number;
};

export type Loaded = { readonly head: Head; readonly version: number; readonly commits: readonly Commit[] };

/** A body above this does not belong into an event: larger things go to the object store, by digest. */
export const MAX_BODY_BYTES = 32 * 1024;

/** What one query answers with has no more items than this: DynamoDB ends it at a megabyte. */
const MAX_ITEMS = 10_000;

export type EventStore = ReturnType<typeof eventStore>;

/** The event streams on DynamoDB: one item is one decision. */
export const eventStore = (client: DynamoDBClient, table: string) => {
  const itemOf = itemCodec(table);
  const { lastAfter } = eventLog(client, table);

  /** The whole stream, strongly consistent, in order. An unknown stream is an empty one. */
  const load = async (stream: string): Promise<Loaded> => {
    const commits = await read(stream, 0);
    const last = commits.at(-1);
    return { head: headAfter(last ?? stream), version: last?.version ?? 0, commits };
  };

  /** The commits of a stream after a version, strongly consistent, in order; no more of them than `limit`. */
  const read = async (stream: string, after: number, limit = Number.MAX_SAFE_INTEGER): Promise<Commit[]> => {
    const commits: Commit[] = [];
    let from: Record<string, never> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: "pk = :stream AND sk > :after",
          ExpressionAttributeValues: { ":stream": { S: stream }, ":after": { S: sortKey(after) } },
          ExclusiveStartKey: from,
          ...(limit < MAX_ITEMS && { Limit: limit }),
        }),
      );
      for (const item of page.Items ?? []) commits.push(commitOf(item));
      from = page.LastEvaluatedKey as typeof from;
    } while (from !== undefined && commits.length < limit);
    return commits.slice(0, limit);
  };

  /**
   * What came behind a commit that was read before, strongly consistent, in order, and that commit first.
   *
   * @returns `undefined` where the stream does not have that commit, as it was read, at its place
   */
  const readFrom = async ({
    stream,
    version,
    hash,
  }: Pick<Link, "stream" | "version" | "hash">): Promise<readonly [Commit, ...Commit[]] | undefined> => {
    const [known, ...after] = await read(stream, version - 1);
    return known?.version === version && known.hash === hash ? [known, ...after] : undefined;
  };

  /** Commits of a stream before a version, strongly consistent, newest first, at most `limit`. */
  const readBack = async (stream: string, before: number, limit: number): Promise<Commit[]> => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: "pk = :stream AND sk < :before",
        ExpressionAttributeValues: { ":stream": { S: stream }, ":before": { S: sortKey(before) } },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return Items.map(commitOf);
  };

  /** As `write`. @returns its events */
  const append = async (head: Head, decision: Decision): Promise<Recorded[]> => eventsOf(await write(head, decision));

  /**
   * Writes one decision behind `head`, once: when the same cause is there already, at that very place, that is our own
   * earlier write and counts as success. Throws `Conflict` when another decision took the place.
   */
  const write = async (head: Head, decision: Decision): Promise<Commit> => {
    const end = head as unknown as End;
    const commit = commitAfter(end, decision, await positionOf(end, decision));
    // the stream's commit before has named its own day
    if (end.position === undefined || dayOf(end.position) !== dayOf(commit.position)) await nameDay(client, table, commit.position);
    try {
      await client.send(new PutItemCommand({ TableName: table, Item: itemOf(commit), ConditionExpression: "attribute_not_exists(pk)" }));
      return commit;
    } catch (error) {
      if (problemOf(error) !== "changed") throw error;
      const there = await at(commit.stream, commit.version);
      if (there?.id === commit.id) return there;
      throw new Conflict(`${commit.stream} already has a version ${commit.version}`);
    }
  };

  /**
   * Where the stream or the cause is far ahead of the clock, the commit goes behind the whole log: what a wrong clock put
   * there does not end within anybody's time, and its order is then the one in which it was written.
   */
  const positionOf = async (end: End, { now, causePosition }: Decision): Promise<string> => {
    const position = nextPosition(now, end.position, causePosition);
    return Number(position) <= now + MAX_CLOCK_SKEW_MS ? position : nextPosition(Number(position), await lastAfter(position), undefined);
  };

  const at = async (stream: string, version: number): Promise<Commit | undefined> => {
    const { Item } = await client.send(
      new GetItemCommand({ TableName: table, ConsistentRead: true, Key: { pk: { S: stream }, sk: { S: sortKey(version) } } }),
    );
    return Item && commitOf(Item);
  };

  return { load, read, readBack, readFrom, headAfter, append, write };
};

/** The end of a stream whose last commit was read or written as this one, or of one in which nothing was ever written. */
const headAfter = (last: Commit | string): Head => {
  const end: End = typeof last === "string" ? { stream: last, version: 0, position: undefined, hash: "" } : last;
  return end as unknown as Head;
};

const commitAfter = (end: End, decision: Decision, position: string): Commit => {
  const { cause, correlation, actor, now } = decision;
  const body = JSON.stringify(decision.events.map(({ type, v, body }) => ({ type, v, body })));
  if (Buffer.byteLength(body) > MAX_BODY_BYTES)
    throw new Error(
      `A decision on ${end.stream} is ${Buffer.byteLength(body)} bytes, above the ${MAX_BODY_BYTES} that an event may have: put the large part into the object store and its digest into the event`,
    );
  const commit = {
    stream: end.stream,
    version: end.version + 1,
    id: commitId(sha256, end.stream, cause),
    body,
    cause,
    correlation,
    actor,
    origin: decision.origin ?? "",
    at: new Date(now).toISOString(),
    position,
    prev: end.hash,
  };
  return { ...commit, hash: commitHash(sha256, commit) };
};
