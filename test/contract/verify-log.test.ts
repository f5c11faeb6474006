import { createPublicKey } from "node:crypto";
import { DeleteItemCommand, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE, SEAL_KEY } from "../../blueprint/topology.ts";
import { type Commit, commitHash } from "../../domain/kernel/chain.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { type Item, itemCodec, sha256 } from "../../engine/log/codec.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { type LogVerified, verifyLog } from "../../operator/verify/verify-log.ts";
import { wire } from "../../operator/verify/wiring.ts";
import { type ReplayRoom, startReplayRoom } from "../support/replay-room.ts";
import { logOf, MORNING } from "../support/sealed-log.ts";

/** Five streams of eight versions; all but the last five commits are in two seals. */
const log = logOf(40);
const UNSEALED = 5;
const itemOf = itemCodec(EVENTS_TABLE);
const stream = "deployment/dep_2";
const of = (version: number): Commit => log.find((one) => one.stream === stream && one.version === version) as Commit;

let room: ReplayRoom;
let verify: () => Promise<LogVerified>;
beforeAll(async () => {
  room = await startReplayRoom();
  await room.write(log);
  await room.seal(MORNING + 20_000);
  await room.seal(MORNING + (40 - UNSEALED) * 1_000);
  const key = createPublicKey(await kmsSigner(room.clients.kms, SEAL_KEY).publicKey());
  const names = { eventsTable: EVENTS_TABLE, archive: BUCKETS.archive };
  verify = () => verifyLog(wire(room.clients, names, { clock: systemClock, key, tell: () => undefined }));
});
afterAll(() => room.close());

const put = (item: Item) => room.clients.dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item: item }));
const drop = ({ pk, sk }: Item) => room.clients.dynamodb.send(new DeleteItemCommand({ TableName: EVENTS_TABLE, Key: { pk, sk } as Item }));

/** What is found once these rows are gone and those are there; afterwards all is as it was. */
const tampered = async (gone: readonly Item[], there: readonly Item[] = []): Promise<LogVerified> => {
  for (const item of gone) await drop(item);
  for (const item of there) await put(item);
  try {
    return await verify();
  } finally {
    const right = new Map(log.map((commit) => [`${commit.stream} ${commit.version}`, itemOf(commit)]));
    for (const item of there) await drop(item);
    for (const item of [...gone, ...there]) {
      const before = right.get(`${item.pk?.S} ${Number(item.sk?.S)}`);
      if (before !== undefined) await put(before);
    }
  }
};
const rowOf = (commit: Commit, change: Item = {}): Item => ({ ...itemOf(commit), ...change });
/** The rest of a stream, written anew so that its chain holds. */
const forged = (from: Commit, change: Partial<Commit>): Item[] => {
  const items: Item[] = [];
  let prev = from.prev;
  for (const commit of log.filter((one) => one.stream === from.stream && one.version >= from.version)) {
    const changed = { ...commit, ...(commit === from ? change : {}), prev };
    prev = commitHash(sha256, changed);
    items.push(itemOf({ ...changed, hash: prev }));
  }
  return items;
};

describe("the log of an engine", () => {
  it("verifies as it was written, and says what is in no seal yet", async () => {
    expect(await verify()).toEqual({
      seals: 2,
      commits: 35,
      until: log[34]?.position,
      fault: null,
      streams: 5,
      rows: 40,
      passedOver: 0,
      unsealed: { commits: 5, since: log[35]?.at },
      faults: [],
    });
  });

  it.each([
    ["actor", { actor: { S: "mallory" } }],
    ["body", { body: { S: "[]" } }],
    ["hash", { hash: { S: "forged" } }],
    ["origin", { origin: { S: "" } }],
    ["gsi1pk", { gsi1pk: { S: "2020-01-01#0" } }],
    ["gsi1sk", { gsi1sk: { S: "0" } }],
    ["stream", { stream: { S: "deployment/dep_3" } }],
    ["version", { version: { N: "9" } }],
    ["position", { position: { S: "never" } }],
    ["note", { note: { S: "not ours" } }],
    ["at", { at: { N: "1" } }],
  ] as [string, Item][])("names stream, version and field where %s of a sealed row was changed", async (field, change) => {
    const { faults, fault } = await tampered([], [rowOf(of(3), change)]);
    expect(fault).toBeNull();
    expect(faults).toEqual([{ stream, version: 3, fields: [field], reason: `${field} is not what seal 1 has` }]);
  });

  it.each(["actor", "gsi1pk", "gsi1sk", "hash"])("names the row whose %s is missing", async (field) => {
    const { [field]: _, ...rest } = rowOf(of(3));
    expect((await tampered([], [rest])).faults).toMatchObject([{ stream, version: 3, fields: [field] }]);
  });

  it("names the first row of a stream that was written anew, with a chain that holds", async () => {
    const { faults } = await tampered([], forged(of(3), { actor: "mallory" }));
    expect(faults).toEqual([{ stream, version: 3, fields: ["actor", "hash"], reason: "actor and hash are not what seal 1 has" }]);
  });

  it("names the first row that is gone: within a stream, at its end, and all of it", async () => {
    const rows = log.filter((one) => one.stream === stream).map((one) => rowOf(one));
    expect((await tampered(rows.slice(2, 3))).faults).toEqual([{ stream, version: 3, fields: [], reason: "it is gone: seal 1 has it" }]);
    expect((await tampered(rows.slice(0, 1))).faults).toMatchObject([{ version: 1, reason: "it is gone: seal 1 has it" }]);
    expect((await tampered(rows.slice(6))).faults).toMatchObject([
      { stream, version: 7, reason: "it is gone, and so is all that followed: seal 2 has it" },
    ]);
    expect((await tampered(rows)).faults).toMatchObject([
      { stream, version: 1, reason: "it is gone, and so is all that followed: seal 1 has it" },
    ]);
  });

  it("names a row that was put in", async () => {
    const strange = { ...rowOf(of(3)), sk: { S: "0000000003a" } };
    expect((await tampered([], [strange])).faults).toMatchObject([
      { stream, version: 4, reason: 'a row "0000000003a" stands before it that was never sealed' },
    ]);
    const { faults } = await tampered([], [{ pk: { S: "deployment/dep_x" }, sk: { S: "0000000001" }, body: { S: "[]" } }]);
    expect(faults).toMatchObject([{ stream: "deployment/dep_x", version: 1, reason: expect.stringContaining("Shiplog did not write it") }]);
  });

  it("names the place of a row in no seal, by the chain alone", async () => {
    const last = log.at(-2) as Commit;
    const { faults } = await tampered([], [rowOf(last, { actor: { S: "mallory" } })]);
    expect(faults).toMatchObject([{ stream: last.stream, version: last.version, reason: "its content was changed after it was written" }]);
  });

  it("finds each of 30 random changes, in the stream where it was made", async () => {
    let seed = 20_261_125;
    const below = (limit: number): number => {
      seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
      return Math.floor((seed / 2 ** 32) * limit);
    };
    const sealed = log.slice(0, -UNSEALED);
    const { Items = [] } = await room.clients.dynamodb.send(new ScanCommand({ TableName: EVENTS_TABLE }));
    const before = new Map(Items.map((item) => [`${item.pk?.S} ${item.sk?.S}`, item]));
    const missed: string[] = [];
    for (let n = 0; n < 30; n++) {
      const commit = sealed[below(sealed.length)] as Commit;
      const item = rowOf(commit);
      const fields = Object.keys(item).filter((name) => name !== "pk" && name !== "sk");
      const field = fields[below(fields.length)] ?? "body";
      const value = item[field]?.S ?? item[field]?.N ?? "";
      const at = below(value.length);
      const other = item[field]?.N === undefined ? { S: `${value.slice(0, at)}~${value.slice(at + 1)}` } : { N: String(Number(value) + 1) };
      const kind = below(3);
      const { faults } =
        kind === 0
          ? await tampered([item])
          : kind === 1
            ? await tampered([], [{ ...item, [field]: other }])
            : await tampered([], forged(commit, { actor: `x${n}` }));
      const [first] = faults;
      if (faults.length !== 1 || first?.stream !== commit.stream || first.version !== commit.version)
        missed.push(`${n}: kind ${kind} ${field} of ${commit.stream} ${commit.version}: ${JSON.stringify(faults)}`);
    }
    expect(missed).toEqual([]);
    const after = (await room.clients.dynamodb.send(new ScanCommand({ TableName: EVENTS_TABLE }))).Items ?? [];
    expect(new Map(after.map((item) => [`${item.pk?.S} ${item.sk?.S}`, item]))).toEqual(before);
  }, 60_000);
});
