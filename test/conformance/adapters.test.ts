import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateSecretCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { GetQueueUrlCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { SQSRecord } from "aws-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BUS, EVENTS_TABLE, queueName, VIEWS_TABLE } from "../../blueprint/topology.ts";
import { verifyChain } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { eventBus } from "../../engine/aws/bus.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { queues } from "../../engine/aws/redelivery-queue.ts";
import { siteSecrets } from "../../engine/aws/secrets.ts";
import { newLedger, writeDocument } from "../../engine/aws/site-document.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { sha256 } from "../../engine/log/codec.ts";
import { Conflict, eventStore } from "../../engine/log/event-store.ts";
import { eventLog } from "../../engine/log/log.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { deploymentId } from "../support/samples.ts";
import { until } from "../support/until.ts";
import { type AwsWorld, BUCKET, worlds } from "./support/worlds.ts";

/** What the other implementation is known to do wrong, so that its opinion says nothing. The tests of our own are elsewhere. */
const NOT_ASKED = [
  ["several writers of one item at once", "it takes two of them: it locks nothing"],
  ["transactions at once, and their ClientRequestToken", "it runs them without isolation, and the engine uses none"],
  ["Lambda's RevisionId, aliases and invocations", "it accepts every one of them"],
  ["CodeBuild's StartBuild", "it runs no build"],
  ["dead letters of a rule's target", "it knows none"],
  ["disabled rules", "it goes on delivering"],
] as const;
it.for(NOT_ASKED)("moto is not asked about %s", ([, why], { skip }) => skip(why));

/** The engine's adapters against our own endpoint and, where it is installed, against an implementation that is not ours. */
describe.each(Object.entries(worlds))("against %s", (_, start) => {
  let world: AwsWorld | undefined;
  let missing = "";
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shiplog-adapters-"));
    const started = await start();
    if ("missing" in started) missing = started.missing;
    else world = started;
  });
  beforeEach(({ skip }) => skip(world === undefined, missing));
  afterAll(async () => {
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const clients = () => (world as AwsWorld).clients;

  const decision = (cause: string) => ({
    events: [{ type: "LampLit", v: 1, body: { lamp: cause, text: "Wärme\u2028" } }],
    cause,
    correlation: "c",
    actor: "ada",
    now: Date.now(),
  });

  describe("the secret of an environment", () => {
    it("refuses the second of two that read the same content, which then edits the first one's", async () => {
      const { secrets } = clients();
      const name = "shiplog/web/production";
      const SecretString = writeDocument({ values: { A: "a" }, ledger: newLedger() });
      await secrets.send(new CreateSecretCommand({ Name: name, SecretString }));
      const set = (client: typeof secrets, one: string) =>
        siteSecrets(client, systemClock).change(name, (document) => ({ ...document, values: { ...document.values, [one]: one } }));
      let tries = 0;
      const second: typeof secrets = Object.create(secrets, {
        send: {
          value: async (command: never) => {
            if ((command as object) instanceof PutSecretValueCommand && ++tries === 1) await set(secrets, "FIRST");
            return secrets.send(command);
          },
        },
      });
      await set(second, "SECOND");
      expect(tries).toBe(2);
      expect((await siteSecrets(secrets, systemClock).read(name)).values).toEqual({ A: "a", FIRST: "FIRST", SECOND: "SECOND" });
    });
  });

  describe("the event store", () => {
    const store = () => eventStore(clients().dynamodb, EVENTS_TABLE);

    it("gives back what was appended, in order and with an unbroken chain", async () => {
      const stream = `deployment/${deploymentId(1)}`;
      for (const cause of ["a", "b", "c"]) await store().append((await store().load(stream)).head, decision(cause));
      const { commits, version } = await store().load(stream);
      expect(version).toBe(3);
      expect(commits.map(({ cause }) => cause)).toEqual(["a", "b", "c"]);
      expect(verifyChain(sha256, commits)).toBeUndefined();
      expect((await store().read(stream, 1)).map(({ version }) => version)).toEqual([2, 3]);
    });

    it("refuses a second commit at the same version, and writes nothing of it", async () => {
      const stream = `deployment/${deploymentId(2)}`;
      const { head } = await store().load(stream);
      await store().append(head, decision("first"));
      await expect(store().append(head, decision("second"))).rejects.toThrow(Conflict);
      expect((await store().load(stream)).commits.map(({ cause }) => cause)).toEqual(["first"]);
    });

    it("has every commit in the log, in the order of positions", async () => {
      const streams = [3, 4, 5].map((n) => `deployment/${deploymentId(n)}`);
      for (const cause of ["x", "y"])
        for (const stream of streams) await store().append((await store().load(stream)).head, decision(`${stream}${cause}`));
      const log = eventLog(clients().dynamodb, EVENTS_TABLE);
      const read = await log.read(positionAt(Date.now() - 60_000), positionAt(Date.now() + 60_000), 100);
      const positions = read.map(({ position }) => position);
      expect(positions).toEqual([...positions].sort());
      expect(read.filter(({ stream }) => streams.includes(stream))).toHaveLength(6);
    });
  });

  it("a row is replaced by a newer one only", async () => {
    const views = viewsTable(clients().dynamodb, VIEWS_TABLE, async () => []);
    expect(await views.setRelayed("deployment/x", 3)).toBe(true);
    expect(await views.setRelayed("deployment/x", 2)).toBe(false);
    expect(await views.relayed("deployment/x")).toBe(3);
    expect(await views.relayed("deployment/unknown")).toBe(0);
  });

  describe("objects", () => {
    const objects = () => s3Objects(clients().s3, systemClock);
    const file = async (text: string): Promise<string> => {
      const name = join(folder, "object");
      await writeFile(name, text);
      return name;
    };

    it("are put once: whoever comes second learns it, and the first stays", async () => {
      expect(await objects().putNew(BUCKET, "once/a b+ü", await file("first"), "f1")).toBe(true);
      expect(await objects().putNew(BUCKET, "once/a b+ü", await file("second"), "f2")).toBe(false);
      expect(await objects().putNewText(BUCKET, "once/a b+ü", "third")).toBe(false);
      expect(await objects().getText(BUCKET, "once/a b+ü")).toBe("first");
      expect(await objects().fingerprint(BUCKET, "once/a b+ü")).toBe("f1");
    });

    it("that are written into a file are told by what was written", async () => {
      await objects().put(BUCKET, "told", await file("first"), "f");
      const sha256 = createHash("sha256").update("first").digest("hex");
      expect(await objects().download(BUCKET, "told", join(folder, "told"))).toBe(sha256);
    });

    it("that are not there are undefined, and no error", async () => {
      expect(await objects().getText(BUCKET, "none")).toBeUndefined();
      expect(await objects().fingerprint(BUCKET, "none")).toBeUndefined();
      expect(await objects().download(BUCKET, "none", join(folder, "none"))).toBeUndefined();
    });

    it("are copied with how they are served, listed in order, read by address and removed", async () => {
      const serving = { contentType: "text/plain; charset=utf-8", cacheControl: "public, max-age=0" };
      await objects().put(BUCKET, "many/1", await file("one"), "f", serving);
      expect(await objects().copy(BUCKET, "many/1", "many/2 %", "g", serving)).toBe(true);
      expect(await objects().copy(BUCKET, "many/never", "many/3", "g", serving)).toBe(false);
      expect(await objects().list(BUCKET, "many/")).toEqual(["many/1", "many/2 %"]);
      expect(await objects().fingerprint(BUCKET, "many/2 %")).toBe("g");
      const answer = await fetch(await objects().readAddress(BUCKET, "many/2 %"));
      expect([await answer.text(), answer.headers.get("content-type"), answer.headers.get("cache-control")]).toEqual([
        "one",
        serving.contentType,
        serving.cacheControl,
      ]);
      await objects().remove(BUCKET, ["many/1", "many/2 %", "many/never"]);
      expect(await objects().list(BUCKET, "many/")).toEqual([]);
    });
  });

  describe("queues", () => {
    const mail = () => queues(clients().sqs, () => undefined);
    const receive = async (consumer: string): Promise<Message[]> => {
      const { QueueUrl } = await clients().sqs.send(new GetQueueUrlCommand({ QueueName: queueName(consumer) }));
      const { Messages = [] } = await clients().sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        }),
      );
      return Messages;
    };
    const recordOf = ({ MessageId = "", Body = "", ReceiptHandle = "" }: Message) =>
      ({ messageId: MessageId, body: Body, receiptHandle: ReceiptHandle }) as SQSRecord;

    it("give a message to one reader at a time, and again when it was given back", async () => {
      await mail().send("end-release", "hello ü");
      const [first] = await until("the message", () => firstOf("end-release"));
      expect(first?.Body).toBe("hello ü");
      expect(await receive("end-release")).toEqual([]);
      await mail()
        .redelivery("end-release")
        .retryIn(recordOf(first as Message), 0);
      const [again] = await until("it again", () => firstOf("end-release"));
      expect(again?.Attributes?.ApproximateReceiveCount).toBe("2");
    });
    const firstOf = async (consumer: string): Promise<Message[] | undefined> => {
      const found = await receive(consumer);
      return found.length > 0 ? found : undefined;
    };

    it("keep what was put aside, with its reason, for whoever looks", async () => {
      const record = { messageId: "m1", body: "half a mess", receiptHandle: "", attributes: { ApproximateReceiveCount: "3" } } as SQSRecord;
      await mail().redelivery("advance").deadLetter(record, "it is no JSON: ü");
      const letters = await until("the letter", async () => {
        const found = (await mail().deadLetters("advance")) ?? [];
        return found.length > 0 && found;
      });
      expect(letters).toMatchObject([{ consumer: "advance", body: "half a mess", reason: "it is no JSON: ü" }]);
      expect(await until("it again", async () => (await mail().deadLetters("advance"))?.[0])).toMatchObject({ body: "half a mess" });
    });
  });

  describe("the bus", () => {
    const recorded = (type: string, stream: string): Recorded =>
      ({
        id: `c.${type}`,
        stream,
        version: 1,
        index: 0,
        type,
        v: 1,
        body: {},
        position: "1",
        at: "",
        actor: "a",
        origin: "",
        cause: "c",
        correlation: "c",
      }) as Recorded;
    const got = new Map<string, Set<string>>();
    const drain = async (): Promise<void> => {
      for (const consumer of ["start-build", "stop-build", "watch-build", "publish-release", "flip-alias", "notify", "project"]) {
        const { QueueUrl } = await clients().sqs.send(new GetQueueUrlCommand({ QueueName: queueName(consumer) }));
        const { Messages = [] } = await clients().sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        for (const { Body = "{}" } of Messages) {
          const { "detail-type": type } = JSON.parse(Body) as { "detail-type": string };
          got.set(type, (got.get(type) ?? new Set()).add(consumer));
        }
      }
    };
    const reaches = (type: string, consumers: readonly string[]) =>
      until(`${type} to reach ${consumers.join(", ")}`, async () => {
        await drain();
        return consumers.every((consumer) => got.get(type)?.has(consumer));
      });

    it("leads each event to the consumers whose rules it matches, and to no other", async () => {
      const bus = eventBus(clients().eventBridge, BUS, systemClock);
      await bus.publish([
        recorded("DeploymentQueued", "deployment/a"),
        recorded("BuildStarted", "deployment/a"),
        recorded("BuildSucceeded", "deployment/a"),
        recorded("FlipRequested", "environment/web/production"),
      ]);
      await reaches("DeploymentQueued", ["start-build", "notify", "project"]);
      await reaches("BuildStarted", ["stop-build", "notify", "project"]);
      await reaches("BuildSucceeded", ["publish-release", "notify", "project"]);
      await reaches("FlipRequested", ["flip-alias", "project"]);
      expect([...(got.get("FlipRequested") ?? [])].sort()).toEqual(["flip-alias", "project"]);
      expect([...(got.get("DeploymentQueued") ?? [])].sort()).toEqual(["notify", "project", "start-build"]);
    });

    it("leads CodeBuild's events of Shiplog's own projects alone", async () => {
      for (const project of ["someone-else", "shiplog-web"])
        await (world as AwsWorld).codeBuildSays({ "project-name": project, "build-status": "SUCCEEDED", "build-id": project });
      const { QueueUrl } = await clients().sqs.send(new GetQueueUrlCommand({ QueueName: queueName("watch-build") }));
      const bodies: string[] = [];
      await until("the event", async () => {
        const { Messages = [] } = await clients().sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        bodies.push(...Messages.map(({ Body = "" }) => Body));
        return bodies.length > 0;
      });
      expect(bodies.map((body) => JSON.parse(body).detail["project-name"])).toEqual(["shiplog-web"]);
    });
  });
});
