import { hash, verify } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignCommand } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { type Seal, signedText } from "../../domain/kernel/seal.ts";
import { sealArchive } from "../../engine/archive/archive.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { BUCKETS, provisionEngine } from "../../local/provision/engine-resources.ts";
import { deploymentId } from "../support/samples.ts";

let folder: string;
let endpoint: Endpoint;
let clients: Clients;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-seal-"));
  endpoint = await startEndpoint({ dataDir: folder });
  clients = awsClients(clientOptions(endpoint));
  await provisionEngine(clients);
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

const HOUR = 3_600_000;

it("a busy day is sealed: its manifest is larger than what KMS signs, its digest is not", async () => {
  const then = Date.now() - HOUR;
  const store = eventStore(clients.dynamodb, EVENTS_TABLE);
  for (let n = 1; n <= 80; n++) {
    const { head } = await store.load(`deployment/${deploymentId(n)}`);
    await store.append(head, { events: [{ type: "LampLit", v: 1, body: {} }], cause: `c${n}`, correlation: "c", actor: "ada", now: then });
  }
  const signer = kmsSigner(clients.kms, SEAL_KEY);
  const archive = sealArchive(
    s3Objects(clients.s3, systemClock),
    BUCKETS.archive,
    signer,
    { read: store.read, shards: logShards(clients.dynamodb, EVENTS_TABLE), notes: viewsTable(clients.dynamodb, VIEWS_TABLE, store.read) },
    systemClock,
  );
  expect((await archive.seal("only what is new"))?.count).toBe(80);
  const [seal] = await archive.seals();
  expect(seal?.manifest.length).toBeGreaterThan(4_096);
  expect(seal).toMatchObject({ v: 2, key: expect.stringMatching(/^arn:aws:kms:.+:key\//) });
  const text = signedText((said) => hash("sha256", said, "hex"), seal as Seal);
  expect(verify(null, Buffer.from(text), await signer.publicKey(), Buffer.from(seal?.signature ?? "", "base64"))).toBe(true);
});

it("KMS signs no message of more than 4,096 bytes", async () => {
  const sign = (bytes: number) =>
    clients.kms.send(
      new SignCommand({ KeyId: SEAL_KEY, Message: Buffer.alloc(bytes, 1), MessageType: "RAW", SigningAlgorithm: "ED25519_SHA_512" }),
    );
  await expect(sign(4_097)).rejects.toMatchObject({ name: "ValidationException" });
  expect((await sign(4_096)).Signature?.length).toBe(64);
});
