import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { type FoundRow, viewText } from "../../engine/views/view-items.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { rowKey } from "../../operator/replay/folding.ts";
import { runCli, startCli } from "../cli/support/run-cli.ts";
import { longHistory, usualPlan } from "../support/long-history.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { rowsOf } from "../support/rows-of.ts";

const itemOf = itemCodec(EVENTS_TABLE);
const SEALED_SHARE = 0.7;
const commits = [...longHistory(usualPlan(7, 2_000))];
const sealed = commits.slice(0, Math.floor(commits.length * SEALED_SHARE));

let room: ReplayRoom;
beforeAll(async () => {
  room = await startReplayRoom();
  await room.write(commits);
  await room.seal(Number(sealed.at(-1)?.position) + 1);
});
afterAll(() => room.close());

const shiplog = (...words: string[]) => runCli(["--data", room.data, "--json", "replay", ...words]);

const everyRow = async (): Promise<FoundRow[]> => (await Array.fromAsync(room.items.scan(0, 1))).flat();
const viewsIn = async (): Promise<Map<string, unknown>> =>
  new Map((await everyRow()).map(({ view, stream, item }) => [rowKey(view, stream), JSON.parse(viewText(item))]));

describe("shiplog replay", () => {
  it("makes every row from sealed segments and the rest of the table, and switches readers to them", async () => {
    const { code, out } = await shiplog("all");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ generation: 1, segments: 1, fromSegments: sealed.length, resumed: false, removed: 0 });
    expect(await viewsIn()).toEqual(rowsOf(commits));
    const [deployment] = commits.filter(({ stream }) => stream.startsWith("deployment/"));
    const id = deployment?.stream.split("/")[1] ?? "";
    expect(await room.views.deployment(id)).toEqual(rowsOf(commits).get(rowKey("deployments", `deployment/${id}`)));
  });

  it("asks nothing but the log, the archive and the table of views", async () => {
    room.proxy.calls.length = 0;
    expect((await shiplog("all")).code).toBe(0);
    const asked = [...new Set(room.proxy.calls.map(({ name }) => name))].sort();
    expect(asked).toEqual([
      "DynamoDB.BatchWriteItem shiplog-views",
      "DynamoDB.GetItem shiplog-views",
      "DynamoDB.PutItem shiplog-views",
      "DynamoDB.Query shiplog-events",
      "DynamoDB.Query shiplog-views",
      "DynamoDB.Scan shiplog-events",
      "DynamoDB.Scan shiplog-views",
      "S3.GET shiplog-archive",
      "Trent.GetPublicKey",
    ]);
  });

  it("goes on where it was killed, and leaves readers what they had until then", async () => {
    const before = await room.views.generations();
    let batches = 0;
    const temporary = join(room.data, "tmp");
    await mkdir(temporary);
    const running = startCli(["--data", room.data, "--json", "replay", "all"], { env: { TMPDIR: temporary } });
    room.proxy.hold(async ({ name }) => {
      if (name !== "DynamoDB.BatchWriteItem shiplog-views") return;
      batches += 1;
      if (batches === 3) running.kill();
    });
    expect((await running.finished).code).toBeNull();
    room.proxy.hold(() => undefined);
    // of the segment that it was reading nothing is left
    expect(await readdir(temporary)).toEqual([]);
    expect((await room.views.generations()).live).toEqual(before.live);

    const { code, out, err } = await shiplog("all");
    expect(err).toContain("waiting until its lease is over");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ generation: before.last + 1, resumed: true });
    expect(await viewsIn()).toEqual(rowsOf(commits));
  });

  it("goes on at once where it was interrupted, and says how", async () => {
    const running = startCli(["--data", room.data, "replay", "all"]);
    let batches = 0;
    room.proxy.hold(async ({ name }) => {
      // a second Ctrl-C would not wait
      if (name === "DynamoDB.BatchWriteItem shiplog-views" && ++batches === 1) running.interrupt();
    });
    const stopped = await running.finished;
    room.proxy.hold(() => undefined);
    expect(stopped).toMatchObject({ code: 130, err: expect.stringContaining("Go on where it was with:  shiplog replay all") });
    const { code, out, err } = await shiplog("all");
    expect([code, JSON.parse(out).resumed]).toEqual([0, true]);
    expect(err).not.toContain("waiting");
  });

  it("takes the table alone where it is told to, and comes to the same rows", async () => {
    const { code, out } = await shiplog("all", "--from", "table");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ segments: 0, fromSegments: 0, fromTable: commits.length });
    expect(await viewsIn()).toEqual(rowsOf(commits));
  });
});

describe("shiplog replay --verify", () => {
  it("says that every row is what the log says", async () => {
    const { code, out } = await shiplog("all", "--verify");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      rows: rowsOf(commits).size,
      differences: [],
      log: { rows: commits.length, commits: sealed.length, fault: null, faults: [] },
    });
  });

  it("names stream and version of a sealed row that was changed or is gone, and ends with 5", async () => {
    const row = sealed.findLast(({ stream }) => stream.startsWith("environment/")) as Commit;
    const { pk, sk } = itemOf(row) as { pk: { S: string }; sk: { S: string } };
    await room.write([{ ...row, actor: "innocent-bob" }]);
    const changed = await shiplog("environments", "--verify");
    await room.clients.dynamodb.send(new DeleteItemCommand({ TableName: EVENTS_TABLE, Key: { pk, sk } }));
    const gone = await shiplog("environments", "--verify");
    await room.write([row]);
    expect([changed.code, changed.err]).toEqual([
      5,
      expect.stringContaining(`${row.stream} version ${row.version}: actor is not what seal 1 has`),
    ]);
    expect([gone.code, gone.err]).toEqual([5, expect.stringContaining(`${row.stream} version ${row.version}: it is gone: seal 1 has it`)]);
    expect((await shiplog("environments", "--verify")).code).toBe(0);
  });

  it("names each row that differs, is missing, or has no stream, and a rebuild mends them", async () => {
    const rows = (await everyRow()).filter(({ view }) => view === "deployments");
    const [changed, gone, strange] = rows as [FoundRow, FoundRow, FoundRow];
    const view = JSON.parse(viewText(changed.item)) as { actor: string };
    await room.items.write([{ ...changed.item, view: { S: JSON.stringify({ ...view, actor: "mallory" }) } }], async () => undefined);
    await room.items.remove([gone.item], async () => undefined);
    const invented = JSON.parse(viewText(strange.item)) as { id: string };
    const id = `dep_${"0".repeat(26)}`;
    await room.items.write([room.items.itemOf("deployments", strange.generation, { ...invented, id } as never)], async () => undefined);

    const { code, out } = await shiplog("deployments", "--verify");
    expect(code).toBe(5);
    const { differences } = JSON.parse(out) as { differences: { stream: string; what: string }[] };
    expect(new Map(differences.map(({ stream, what }) => [stream, what]))).toEqual(
      new Map([
        [changed.stream, expect.stringMatching(/^actor differs from the log/)],
        [gone.stream, "there is no row"],
        [`deployment/${id}`, "the log has no such stream"],
      ]),
    );

    expect((await shiplog("deployments")).code).toBe(0);
    expect(await viewsIn()).toEqual(rowsOf(commits));
  });
});

describe("a segment that was changed after it was sealed", () => {
  it("is refused, and readers keep what they have", async () => {
    const { Contents = [] } = await room.clients.s3.send(new ListObjectsV2Command({ Bucket: BUCKETS.archive, Prefix: "segments/" }));
    const place = { Bucket: BUCKETS.archive, Key: Contents[0]?.Key ?? "" };
    const { Body } = await room.clients.s3.send(new GetObjectCommand(place));
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const before = await room.views.generations();
    await room.clients.s3.send(new PutObjectCommand({ ...place, Body: Buffer.concat([bytes, Buffer.from([0])]) }));

    const { code, err } = await shiplog("all");
    expect(code).toBe(5);
    expect(err).toContain(place.Key);
    expect((await room.views.generations()).live).toEqual(before.live);
    await room.clients.s3.send(new PutObjectCommand({ ...place, Body: bytes }));
    expect((await shiplog("all")).code).toBe(0);
  });
});
