import { Readable } from "node:stream";
import type { Answer, Release } from "./answer.ts";
import { wildcard } from "./behavior.ts";
import { type Lifetime, lifetimeOf } from "./lifetime.ts";

/** What an origin answered. `release`: which one ran for it, where it says so; `isFile`: whether it is one of the static bucket. */
export type Reply = { readonly answer: Answer; readonly release: Release | undefined; readonly isFile: boolean };
export type WholeReply = Reply & { readonly answer: Answer & { readonly body: Buffer } };

/** An answer that was kept. `age` in seconds; `stale`: it may be served while it is fetched again; `old`: not without asking. */
export type Kept = { readonly reply: WholeReply; readonly age: number; readonly state: "fresh" | "stale" | "old" };

/** What an answer is kept under. `target` is its path with its query, as invalidations name it. */
export type Place = { readonly key: string; readonly target: string /** seconds */; readonly maxSeconds: number };

/** The answers that an edge keeps, in memory. */
export type AnswerCache = {
  find(place: Place): Kept | undefined;
  /**
   * Keeps an answer to GET, where it says that it may be kept; a stream is kept when it came to its end. What was asked for
   * before an invalidation is not kept after it: `since` is `moment()` from before it was asked for.
   *
   * @returns the answer to send: its body is the one that is read
   */
  keep(place: Place, reply: Reply, since: number): Reply;
  /** What was kept is as it was: its time begins anew, by what the answer of status 304 says. */
  renew(place: Place, headers: Answer["headers"]): void;
  /** Forgets what lies at these paths, with CloudFront's wildcards. */
  invalidate(paths: readonly string[]): void;
  moment(): number;
};

type Entry = {
  readonly reply: WholeReply;
  readonly lifetime: Lifetime;
  readonly at: number;
  readonly target: string;
  readonly bytes: number;
};

/**
 * What was used longest ago goes first; an answer larger than a quarter of the room is not kept.
 *
 * @param bytesMax of bodies and headers together
 * @param now milliseconds
 */
export const openAnswerCache = ({ bytesMax, now }: { readonly bytesMax: number; readonly now: () => number }): AnswerCache => {
  const entries = new Map<string, Entry>();
  const answerMax = bytesMax / 4;
  let bytes = 0;
  let invalidations = 0;

  const forget = (key: string): void => {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  };

  const put = ({ key, target }: Place, reply: WholeReply, lifetime: Lifetime): void => {
    forget(key);
    const { body, headers } = reply.answer;
    const size = body.length + headers.reduce((sum, [name, value]) => sum + name.length + value.length, key.length);
    if (size > answerMax) return;
    entries.set(key, { reply, lifetime, at: now(), target, bytes: size });
    bytes += size;
    for (const oldest of entries.keys()) {
      if (bytes <= bytesMax) return;
      forget(oldest);
    }
  };

  return {
    find({ key }) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      const { fresh, stale } = entry.lifetime;
      const age = (now() - entry.at) / 1_000;
      return { reply: entry.reply, age: Math.floor(age), state: age < fresh ? "fresh" : age < fresh + stale ? "stale" : "old" };
    },

    keep(place, reply, since) {
      const { answer } = reply;
      const lifetime = lifetimeOf(answer, place.maxSeconds);
      // what is there may no longer be kept; an error says nothing of it
      if (lifetime === undefined && answer.status < 500) forget(place.key);
      if (lifetime === undefined) return reply;
      const putWhole = (body: Buffer): void => {
        if (since === invalidations) put(place, { ...reply, answer: { ...answer, body } }, lifetime);
      };
      if (!Buffer.isBuffer(answer.body)) return { ...reply, answer: { ...answer, body: listenedTo(answer.body, answerMax, putWhole) } };
      putWhole(answer.body);
      return reply;
    },

    renew(place, said) {
      const entry = entries.get(place.key);
      if (entry === undefined) return;
      const names = new Set(said.map(([name]) => name));
      const headers = [...entry.reply.answer.headers.filter(([name]) => !names.has(name)), ...said];
      const answer = { ...entry.reply.answer, headers };
      const lifetime = lifetimeOf(answer, place.maxSeconds);
      if (lifetime === undefined) forget(place.key);
      else put(place, { ...entry.reply, answer }, lifetime);
    },

    invalidate(paths) {
      invalidations++;
      const patterns = paths.map(wildcard);
      for (const [key, { target }] of entries) if (patterns.some((pattern) => pattern.test(target.replace(/^\//, "")))) forget(key);
    },

    moment: () => invalidations,
  };
};

/** A body that goes through as it is made and is told whole when it came to its end, unless it is larger than `bytesMax`. */
const listenedTo = (source: Readable, bytesMax: number, whole: (body: Buffer) => void): Readable => {
  const through = async function* () {
    let chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size <= bytesMax) chunks.push(chunk);
      else chunks = [];
      yield chunk;
    }
    if (size <= bytesMax) whole(Buffer.concat(chunks));
  };
  const body = Readable.from(through(), { objectMode: false });
  // also while it waits for the next chunk: a function may be silent for long
  body.once("close", () => source.destroy());
  return body;
};
