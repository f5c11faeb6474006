import { hash } from "node:crypto";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { AnyEvent, Recorded } from "../../domain/kernel/event.ts";
import { ChainBroken } from "./chain-broken.ts";
import { commitEntity, SHARDS } from "./entity.ts";

export { sha256 } from "./digest.ts";

export type Item = Record<string, AttributeValue>;

/** `2026-11-23`, of the position: the day that a commit is filed under. */
export const dayOf = (position: string): string => new Date(Number(position)).toISOString().slice(0, 10);
export const shardOf = (stream: string): number => Number.parseInt(hash("sha256", stream, "hex").slice(0, 4), 16) % SHARDS;
export const sortKey = (version: number): string => version.toString().padStart(10, "0");

/**
 * Items as ElectroDB writes them, without its path for every single one (it costs more than the request itself):
 * the template comes from the entity once, and a test holds each of these items against the entity's own.
 */
export const itemCodec = (table: string) => {
  const template = commitEntity(table).put(SAMPLE).params<{ Item: Record<string, unknown> }>().Item;
  const constant: Item = {};
  for (const [name, value] of Object.entries(template)) if (name.startsWith("__edb")) constant[name] = { S: String(value) };

  return (commit: Commit): Item => {
    const day = dayOf(commit.position);
    const shard = shardOf(commit.stream);
    const sk = sortKey(commit.version);
    return {
      pk: { S: commit.stream },
      sk: { S: sk },
      gsi1pk: { S: `${day}#${shard}` },
      gsi1sk: { S: `${commit.position}#${commit.stream}#${sk}` },
      stream: { S: commit.stream },
      version: { N: String(commit.version) },
      id: { S: commit.id },
      body: { S: commit.body },
      cause: { S: commit.cause },
      correlation: { S: commit.correlation },
      actor: { S: commit.actor },
      origin: { S: commit.origin },
      at: { S: commit.at },
      position: { S: commit.position },
      prev: { S: commit.prev },
      hash: { S: commit.hash },
      day: { S: day },
      shard: { N: String(shard) },
      ...constant,
    };
  };
};

const SAMPLE = {
  stream: "s",
  version: 1,
  id: "i",
  body: "[]",
  cause: "c",
  correlation: "c",
  actor: "a",
  origin: "",
  at: "t",
  position: "0",
  prev: "",
  hash: "h",
  day: "d",
  shard: 0,
};

/** A commit out of its item. @throws ChainBroken where an attribute is missing: the table then holds what Shiplog did not write */
export const commitOf = (item: Item): Commit => ({
  stream: text(item, "stream"),
  version: count(item, "version"),
  id: text(item, "id"),
  body: text(item, "body"),
  cause: text(item, "cause"),
  correlation: text(item, "correlation"),
  actor: text(item, "actor"),
  origin: text(item, "origin"),
  at: text(item, "at"),
  position: text(item, "position"),
  prev: text(item, "prev"),
  hash: text(item, "hash"),
});

const text = (item: Item, name: string): string => {
  const value = item[name]?.S;
  if (value === undefined) throw withoutAttribute(item, name);
  return value;
};

const count = (item: Item, name: string): number => {
  const value = Number(item[name]?.N);
  if (!Number.isSafeInteger(value)) throw withoutAttribute(item, name);
  return value;
};

const withoutAttribute = ({ pk, sk }: Item, name: string): ChainBroken =>
  new ChainBroken({
    stream: String(pk?.S),
    version: Number(sk?.S),
    reason: `its item in the event table has no "${name}": Shiplog did not write it`,
  });

/** The events of a commit, in order, as readers get them. Their bodies are not checked here. */
export const eventsOf = (commit: Commit): Recorded[] =>
  bodyOf(commit).map(({ type, v, body }, index) => ({
    id: `${commit.id}.${index}`,
    stream: commit.stream,
    version: commit.version,
    index,
    type,
    v,
    body,
    position: commit.position,
    at: commit.at,
    actor: commit.actor,
    origin: commit.origin,
    cause: commit.cause,
    correlation: commit.correlation,
  }));

const bodyOf = (commit: Commit): AnyEvent[] => {
  try {
    return JSON.parse(commit.body) as AnyEvent[];
  } catch (error) {
    throw new ChainBroken({ ...commit, reason: "its body holds no events" }, { cause: error });
  }
};
