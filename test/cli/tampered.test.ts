import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { SealManifest } from "../../domain/kernel/seal.ts";
import { itemCodec } from "../../engine/log/codec.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import type { LogVerified } from "../../operator/verify/verify-log.ts";
import { type AuditedPast, startAuditedPast } from "../support/audited-past.ts";
import { runCli, startCli } from "./support/run-cli.ts";

/** An engine whose past is sealed but for its last minute, and whose event table and archive are changed behind its back. */
let past: AuditedPast;
let folder: string;
let rollback: Commit;
const environment = "environment/web/production";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-tampered-"));
  past = await startAuditedPast();
  await writeFile(join(folder, "connection.json"), JSON.stringify(past.connection));
  await past.ask("POST", "seals");
  rollback = (await past.engine.store.read(environment, 0)).find(({ body }) => body.includes('"rollback"')) as Commit;
}, 60_000);
afterAll(async () => {
  await past.close();
  await rm(folder, { recursive: true, force: true });
});

const cli = (...words: string[]) => runCli(["--data", folder, ...words]);
const itemOf = itemCodec(EVENTS_TABLE);
const put = (commit: Commit) => past.engine.clients.dynamodb.send(new PutItemCommand({ TableName: EVENTS_TABLE, Item: itemOf(commit) }));

/** Does something while the row of the rollback is another, or gone. */
const while_ = async <T>(changed: Commit | undefined, act: () => Promise<T>): Promise<T> => {
  const { pk, sk } = itemOf(rollback);
  if (changed === undefined)
    await past.engine.clients.dynamodb.send(
      new DeleteItemCommand({ TableName: EVENTS_TABLE, Key: { pk: pk ?? { S: "" }, sk: sk ?? { S: "" } } }),
    );
  else await put(changed);
  try {
    return await act();
  } finally {
    await put(rollback);
  }
};
const blamed = (): Commit => ({ ...rollback, actor: "innocent-bob", body: rollback.body.replaceAll(rollback.actor, "innocent-bob") });

describe("shiplog audit verify, of an engine", () => {
  it("verifies every row, and says what is in no seal yet", async () => {
    const { code, out, err } = await cli("audit", "verify");
    expect([code, out]).toEqual([0, expect.stringMatching(/^verified: \d+ commits of \d+ streams, \d+ of them in 1 seal up to \S+Z; /)]);
    expect(err).toContain("Reading the whole log of the local AWS");
  });

  it("names stream, version and fields of a row that was changed, and ends with 5", async () => {
    await while_(blamed(), async () => {
      const { code, out } = await cli("audit", "verify");
      expect(code).toBe(5);
      expect(out).toBe(`NOT VERIFIED: ${environment} version ${rollback.version}: body and actor are not what seal 1 has\n`);
      const document = JSON.parse((await cli("audit", "verify", "--json")).out) as LogVerified;
      expect(document.faults).toMatchObject([{ stream: environment, version: rollback.version, fields: ["body", "actor"] }]);
    });
  });

  it("names the row that is gone", async () => {
    await while_(undefined, async () => {
      const { code, out } = await cli("audit", "verify");
      expect([code, out]).toEqual([5, `NOT VERIFIED: ${environment} version ${rollback.version}: it is gone: seal 1 has it\n`]);
    });
  });

  it("names the damaged segment and the damaged seal", async () => {
    const { s3 } = past.engine.clients;
    const [seal] = await past.engine.archive.seals();
    const { key } = SealManifest.parse(JSON.parse(seal?.manifest ?? "")).segment;
    for (const [Key, said] of [
      [key, /^NOT VERIFIED: seal 1.*\(segments\/\S+\)$/m],
      ["seals/00000001.json", /^NOT VERIFIED: seal 1: .*\(seals\/00000001\.json\)$/m],
    ] as const) {
      const place = { Bucket: BUCKETS.archive, Key };
      const bytes = Buffer.from((await (await s3.send(new GetObjectCommand(place))).Body?.transformToByteArray()) ?? []);
      const at = Math.floor(bytes.length / 2);
      await s3.send(new PutObjectCommand({ ...place, Body: bytes.with(at, (bytes[at] ?? 0) ^ 1) }));
      const { code, out, err } = await cli("audit", "verify");
      expect([code, out]).toEqual([5, expect.stringMatching(said)]);
      expect(err).not.toMatch(/ at .*\.ts:/);
      await s3.send(new PutObjectCommand({ ...place, Body: bytes }));
    }
    expect((await cli("audit", "verify")).code).toBe(0);
  });

  it("takes the key that is trusted, and no other", async () => {
    const other = join(folder, "other.pem");
    await writeFile(other, generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }));
    expect(await cli("audit", "verify", "--key", other)).toMatchObject({
      code: 5,
      out: expect.stringMatching(/^NOT VERIFIED: seal 1: its signature is not of this key/),
    });
    await writeFile(other, "no key");
    expect(await cli("audit", "verify", "--key", other)).toMatchObject({ code: 2, err: expect.stringContaining("not an Ed25519 key") });
  });

  it("ends with 130 at Ctrl-C, and says that it is not through", async () => {
    const running = startCli(["--data", folder, "audit", "verify"]);
    await running.says("Reading the whole log");
    running.interrupt();
    expect(await running.finished).toMatchObject({
      code: 130,
      out: "",
      err: expect.stringContaining("Interrupted before everything was verified"),
    });
  });
});
