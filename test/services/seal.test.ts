import { gunzipSync } from "node:zlib";
import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { inLogOrder, SealManifest } from "../../domain/kernel/seal.ts";
import { sealArchive } from "../../engine/archive/archive.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { wire } from "../../services/seal/handler.ts";
import { type AuditedPast, startAuditedPast } from "../support/audited-past.ts";

const DAY = 86_400_000;
const midnight = (time: number): number => Math.floor(time / DAY) * DAY;

let past: AuditedPast;
beforeEach(async () => {
  past = await startAuditedPast();
}, 60_000);
afterEach(() => past.close());

/** The schedule's run, at this time. */
const runAt = async (time: number): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  await wire({ archive: archiveAt(time), clock: { ...past.engine.clock, now: () => time }, log: (line) => void lines.push(line) })(
    undefined,
  );
  return lines;
};
const archiveAt = (time: number) => {
  const { objects, clients, store, views, config } = past.engine;
  const log = { read: store.read, shards: logShards(clients.dynamodb, EVENTS_TABLE), notes: views };
  return sealArchive(objects, config.buckets.archive, kmsSigner(clients.kms, config.sealKey), log, { now: () => time });
};
/** Writes one commit of a stream, with a clock that stands there, and tells of it as the relay does. */
const write = async (stream: string, now: number): Promise<void> => {
  const { store, views } = past.engine;
  const { head, version } = await store.load(stream);
  const events = [{ type: "LampLit", v: 1, body: {} }];
  await store.append(head, { events, cause: `${stream}@${version}`, correlation: "c", actor: "ada", now });
  await views.noteUnsealed(stream, version + 1);
};
const manifests = async (): Promise<SealManifest[]> =>
  (await past.engine.archive.seals()).map(({ manifest }) => SealManifest.parse(JSON.parse(manifest)));
const numbers = async (): Promise<number[]> => (await manifests()).map(({ number }) => number);

describe("the daily seal", () => {
  it("is made once on each day of the clock, also where nothing happened", async () => {
    const morning = midnight(Date.now()) + 3_600_000;
    expect(await runAt(morning)).toMatchObject([{ message: "the log was sealed", number: 1 }]);
    const trail = await past.trail();
    expect((await manifests())[0]?.count).toBe(new Set(trail.map(({ stream, version }) => `${stream} ${version}`)).size);

    // every hour of that day there is a run, and only the first finds something to do
    for (const hour of [1, 5, 22]) expect(await runAt(morning + hour * 3_600_000)).toEqual([]);
    expect(await runAt(morning + DAY)).toMatchObject([{ number: 2, count: 0 }]);
    expect((await manifests())[1]).toMatchObject({ count: 0, first: null, last: null, streams: {} });
    // a clock that was ahead is right again: that is another day
    expect(await runAt(morning + 400 * DAY)).toMatchObject([{ number: 3 }]);
    expect(await runAt(morning + 2 * DAY)).toMatchObject([{ number: 4 }]);
  });

  it("has what was written behind the seal before, whatever the clocks said", async () => {
    const now = Date.now();
    await archiveAt(now).seal("only what is new");
    expect(await archiveAt(now).seal("only what is new")).toBeUndefined();
    // seven minutes late, between two seals on demand; days behind; and more than a year ahead
    await write("deployment/late", now - 7 * 60_000);
    expect(await archiveAt(now).seal("only what is new")).toMatchObject({ count: 1, streams: { "deployment/late": [{ from: 1, to: 1 }] } });
    await write("deployment/behind", now - 30 * DAY);
    await write("deployment/ahead", now + 400 * DAY);
    expect(await archiveAt(now).seal("only what is new")).toMatchObject({ count: 2 });
    await write("deployment/ahead", now);
    await write("deployment/late", now);
    expect(await past.engine.archive.unsealed()).toMatchObject({ commits: 2 });
    expect(await archiveAt(now).seal("only what is new")).toMatchObject({
      count: 2,
      streams: { "deployment/ahead": [{ from: 2, to: 2 }], "deployment/late": [{ from: 2, to: 2 }] },
    });
    expect(await past.engine.archive.unsealed()).toEqual({ commits: 0, since: null });
  });

  it("has nothing twice where the sealer before it ended before it noted what it had sealed", async () => {
    const { views } = past.engine;
    await archiveAt(Date.now()).seal("only what is new");
    await write("deployment/one", Date.now());
    await write("deployment/two", Date.now());
    const { noteSealed } = views;
    views.noteSealed = async () => {
      throw new Error("the sealer is killed");
    };
    await expect(archiveAt(Date.now()).seal("only what is new")).rejects.toThrow("killed");
    views.noteSealed = noteSealed;
    await write("deployment/two", Date.now());
    expect(await archiveAt(Date.now()).seal("only what is new")).toMatchObject({
      number: 3,
      count: 1,
      streams: { "deployment/two": [{ from: 2 }] },
    });
  });

  it("leaves out a stream that is not as it was written, says so, and has all the rest", async () => {
    await archiveAt(Date.now()).seal("only what is new");
    await write("deployment/whole", Date.now());
    await write("deployment/changed", Date.now());
    await past.engine.clients.dynamodb.send(
      new UpdateItemCommand({
        TableName: EVENTS_TABLE,
        Key: { pk: { S: "deployment/changed" }, sk: { S: "0000000001" } },
        UpdateExpression: "SET actor = :eve",
        ExpressionAttributeValues: { ":eve": { S: "eve" } },
      }),
    );
    const answer = await past.ask("POST", "seals");
    expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([
      409,
      "chain.broken",
      expect.stringContaining("deployment/changed version 1 is not sealed: its content was changed"),
    ]);
    expect((await manifests()).at(-1)).toMatchObject({ count: 1, streams: { "deployment/whole": [{ from: 1, to: 1 }] } });
  });

  it("keeps its segment as gzipped JSON lines, in the log's order, in the archive bucket", async () => {
    await runAt(Date.now());
    const [{ segment, count } = { segment: { key: "" }, count: 0 }] = await manifests();
    const answer = await fetch(await past.engine.archive.addressOf(segment.key));
    const commits = gunzipSync(Buffer.from(await answer.arrayBuffer()))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Commit);
    expect(commits).toHaveLength(count);
    expect(commits).toEqual(commits.toSorted(inLogOrder));
    const stored = await past.engine.store.read(commits[0]?.stream ?? "", 0);
    expect(commits[0]).toEqual(stored[0]);
  });

  it("is one, where two are made at once", async () => {
    const before = await numbers();
    const time = midnight(Date.now()) + 30 * DAY;
    const [one, other] = await Promise.all([archiveAt(time).seal("nothing new"), archiveAt(time).seal("nothing new")]);
    expect([one, other].filter((sealed) => sealed !== undefined)).toHaveLength(1);
    expect(await numbers()).toEqual([...before, before.length + 1]);
  });
});
