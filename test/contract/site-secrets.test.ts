import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { SecretDamaged, siteSecrets } from "../../engine/aws/secrets.ts";
import { fingerprintOf, newLedger, readDocument, type SiteDocument, writeDocument } from "../../engine/aws/site-document.ts";
import { systemClock } from "../../engine/wiring/engine.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";

let folder: string;
let endpoint: Endpoint;
let clients: Clients;
let name: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-secrets-"));
  endpoint = await startEndpoint({ dataDir: folder });
  clients = awsClients(clientOptions(endpoint));
});
afterAll(async () => {
  clients.destroy();
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});
const ledger = newLedger();
const kept = (text: string) => clients.secrets.send(new CreateSecretCommand({ Name: name, SecretString: text }));
beforeEach(async () => {
  made += 1;
  name = `shiplog/web/environment-${made}`;
  await kept(writeDocument({ values: { API_KEY: "a" }, ledger }));
});
const open = () => siteSecrets(clients.secrets, systemClock);
const put = (document: SiteDocument) =>
  clients.secrets.send(new PutSecretValueCommand({ SecretId: name, SecretString: writeDocument(document) }));
const set = (one: string, value: string) =>
  open().change(name, (document) => ({ ...document, values: { ...document.values, [one]: value } }));

describe("the secret of an environment", () => {
  it("loses nothing of those who change it at once", async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => set(`NAME_${n}`, `${n}`)));
    const { values } = await open().read(name);
    expect(Object.keys(values).sort()).toEqual(["API_KEY", ...Array.from({ length: 30 }, (_, n) => `NAME_${n}`)].sort());
  });

  it("lets a change through that was made on content which somebody else changed meanwhile, after it was made again on that", async () => {
    const seen: string[] = [];
    let isFirst = true;
    await open().change(name, (document) => {
      seen.push(Object.keys(document.values).join());
      return { ...document, values: { ...document.values, MINE: "m" } };
    });
    const { secrets } = clients;
    const interrupted: typeof secrets = Object.create(secrets, {
      send: {
        value: async (command: never) => {
          if (isFirst && (command as object) instanceof PutSecretValueCommand) {
            isFirst = false;
            await set("THEIRS", "t");
          }
          return secrets.send(command);
        },
      },
    });
    await siteSecrets(interrupted, systemClock).change(name, (document) => {
      seen.push(Object.keys(document.values).join());
      return { ...document, values: { ...document.values, LATE: "l" } };
    });
    expect(seen).toEqual(["API_KEY", "API_KEY,MINE", "API_KEY,MINE,THEIRS"]);
    expect((await open().read(name)).values).toEqual({ API_KEY: "a", MINE: "m", THEIRS: "t", LATE: "l" });
  });

  it("can be changed where an older version was put back by hand", async () => {
    const { SecretString = "", VersionId = "" } = await clients.secrets.send(new GetSecretValueCommand({ SecretId: name }));
    await set("SINCE", "s");
    // as after UpdateSecretVersionStage: the older version is the present one again, and its successor is there
    const { secrets } = clients;
    const written: string[] = [];
    const before: typeof secrets = Object.create(secrets, {
      send: {
        value: async (command: { input: { ClientRequestToken?: string } }) => {
          if ((command as object) instanceof GetSecretValueCommand) return { SecretString, VersionId };
          written.push(command.input.ClientRequestToken ?? "");
          return secrets.send(command as never);
        },
      },
    });
    const clock = { sleep: async () => undefined, random: () => 1 };
    await siteSecrets(before, clock).change(name, (document) => ({ ...document, values: { ...document.values, AFTER: "a" } }));
    expect(new Set(written).size).toBe(2);
    expect((await open().read(name)).values).toEqual({ API_KEY: "a", AFTER: "a" });
  });

  it("is not written where nothing changes", async () => {
    const { version } = await open().read(name);
    expect(await open().change(name, () => undefined)).toEqual({ values: { API_KEY: "a" }, ledger });
    expect((await open().read(name)).version).toBe(version);
  });

  it("gives its own word about itself to nobody who asks for values", async () => {
    const read = await open().read(name);
    expect(read.values).toEqual({ API_KEY: "a" });
    expect(JSON.stringify(read)).not.toContain(ledger.key);
  });

  it.each(["not JSON", "[]", '{"API_KEY": 1}'])("that holds %s is damaged, and the message does not quote it", async (text) => {
    name += "-damaged";
    await kept(text);
    await expect(open().read(name)).rejects.toThrow(SecretDamaged);
    await expect(open().change(name, () => undefined)).rejects.toThrow(`the secret ${name} is not a flat JSON object of strings`);
  });

  it("of an older release has no fingerprints, and a word about itself that somebody broke is none", async () => {
    await put({ values: { API_KEY: "a" }, ledger: null });
    expect((await open().read(name)).fingerprints).toBeUndefined();
    expect(readDocument('{"A": "a", "SHIPLOG_VARIABLES": "{}"}', name)).toEqual({ values: { A: "a" }, ledger: null });
  });
});

describe("a fingerprint", () => {
  it("is the same for the same value of the same name, and another for every other", () => {
    const print = fingerprintOf(ledger, "A", "1");
    expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf(ledger, "A", "1")).toBe(print);
    for (const other of [fingerprintOf(ledger, "A", "2"), fingerprintOf(ledger, "B", "1"), fingerprintOf(newLedger(), "A", "1")])
      expect(other).not.toBe(print);
  });
  it("does not take a name and a value for another name and value", () => {
    expect(fingerprintOf(ledger, "AB", "C")).not.toBe(fingerprintOf(ledger, "A", "BC"));
  });
});
