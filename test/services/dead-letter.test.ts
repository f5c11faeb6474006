import { randomUUID } from "node:crypto";
import { GetQueueAttributesCommand, GetQueueUrlCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { deadLetterName, queueName } from "../../blueprint/topology.ts";
import { letterStream } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { createQueue } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import type { HeldLetter, Ports } from "../../services/api/ports.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { type ApiRoom, openApiRoom, TOKEN } from "../support/api-room.ts";
import { inLog } from "../support/in-log.ts";
import { siteConfigOf } from "../support/site-config.ts";

const resources = siteResources("web", "production");
let room: ApiRoom;
beforeAll(async () => {
  room = await openApiRoom({ sites: [siteConfigOf("web", "production")] });
  for (const name of [resources.revalidationQueue, resources.revalidationDeadLetters])
    await createQueue(room.clients.sqs, name, { FifoQueue: "true" });
}, 60_000);
afterAll(() => room.close());

const ask: ApiRoom["ask"] = (...given) => room.ask(...given);
const urlOf = async (QueueName: string): Promise<string> =>
  (await room.clients.sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl ?? "";
/** Takes what is in a queue out of sight, and tells the bodies. */
const taken = async (name: string): Promise<string[]> => {
  const { Messages = [] } = await room.clients.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: await urlOf(name), MaxNumberOfMessages: 10, VisibilityTimeout: 3_600 }),
  );
  return Messages.map(({ Body = "" }) => Body);
};
const listed = async (): Promise<HeldLetter[]> => (await ask("GET", "/dead-letters")).body.letters;
/** Puts a message aside as a consumer does, and answers its id among the dead letters. */
const aside = async (consumer: string, body: string, reason = "it is strange"): Promise<string> => {
  const record = { messageId: randomUUID(), body, attributes: { ApproximateReceiveCount: "7" } } as never;
  await room.engine.queues.redelivery(consumer).deadLetter(record, reason);
  return (await listed()).find((letter) => letter.body === body)?.messageId ?? "not there";
};
const told = async (id: string) =>
  (await room.engine.store.read(letterStream(id), 0)).flatMap(eventsOf).map(({ type, body, actor }) => ({ type, body, actor }));
/** An engine that goes on working while this part of it does not. */
const withTrouble = (change: (letter: HeldLetter) => Partial<HeldLetter>, ports: Ports = apiPorts(room.engine)) =>
  createApi({
    ...ports,
    deadLetters: {
      ...ports.deadLetters,
      hold: async (...given) => {
        const { letters, more } = await ports.deadLetters.hold(...given);
        return { letters: letters.map((letter) => ({ ...letter, ...change(letter) })), more };
      },
    },
  });
const command = (app: Pick<ApiRoom["app"], "request">, path: string, body: object, key: string = randomUUID()) =>
  Promise.resolve(
    app.request(`/v1/dead-letters/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "x-shiplog-actor": "alice", "idempotency-key": key },
      body: JSON.stringify(body),
    }),
  );
const broken = (): Promise<never> => Promise.reject(new Error("SQS is away"));

const event = (n: number) =>
  JSON.stringify({
    detail: { stream: "environment/web/production", id: `event-${n}`, type: "ReleaseWentLive" },
  });

describe("one dead letter", () => {
  it("is shown with its reason, how often it was tried, and what it speaks of; and stays", async () => {
    const id = await aside("end-release", event(1), "CloudFront said no");
    for (const given of [id, id, id.slice(0, 8)])
      expect((await ask("GET", `/dead-letters/${given}`)).body).toEqual({
        letter: {
          consumer: "end-release",
          messageId: id,
          reason: "CloudFront said no",
          at: expect.any(String),
          body: event(1),
          tries: 7,
          about: { stream: "environment/web/production", event: "event-1", type: "ReleaseWentLive" },
          decided: null,
        },
      });
    expect((await listed()).map(({ messageId }) => messageId)).toContain(id);
  });

  it("tells nothing of what it speaks where its body is no message of ours, or names what is no stream", async () => {
    for (const body of ["half a mess", "[]", JSON.stringify({ detail: { stream: "environment/web", id: "e", type: "T" } })]) {
      const id = await aside("project", body);
      expect((await ask("GET", `/dead-letters/${id}`)).body.letter.about).toBeNull();
      expect((await ask("POST", `/dead-letters/${id}/drop`, { reason: "a trial" })).status).toBe(200);
    }
    expect((await ask("GET", "/audit")).status).toBe(200);
  });

  it("that its queue put aside says how often a queue does that", async () => {
    await room.clients.sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(deadLetterName("notify")), MessageBody: "crashed" }));
    const letter = (await listed()).find(({ body }) => body === "crashed");
    expect(letter).toMatchObject({ tries: 26, reason: expect.stringContaining("received too often") });
  });

  it("is named by no beginning that others have too, and by no id that nobody has", async () => {
    const ids = [];
    for (let n = 0; n < 17; n++) ids.push(await aside("advance", `one of many ${n}`));
    const [first] = ids.map((id) => id[0]).filter((begin, at, all) => all.indexOf(begin) !== at);
    const answer = await ask("GET", `/dead-letters/${first}`);
    expect(answer).toMatchObject({ status: 409, body: { error: { code: "id.ambiguous" } } });
    expect(answer.body.error.candidates.length).toBeGreaterThan(1);
    for (const given of [randomUUID(), "%2e%2e%2f"])
      expect(await ask("GET", `/dead-letters/${given}`)).toMatchObject({ status: 404, body: { error: { code: "letter.unknown" } } });
    // all of them can be had again at once: nobody was left holding one
    for (const id of ids.slice(0, 3)) expect((await ask("GET", `/dead-letters/${id}`)).status).toBe(200);
  }, 60_000);
});

describe("sending a dead letter again", () => {
  it("puts its body into its consumer's queue, takes it away, and the log knows who did it and why it was put aside", async () => {
    const id = await aside("flip-alias", event(2), "Lambda was away");
    const answer = await ask("POST", `/dead-letters/${id}/redrive`, { reason: "Lambda is back" });
    const body = { consumer: "flip-alias", failure: "Lambda was away", about: "environment/web/production", reason: "Lambda is back" };
    expect(answer.body.letter).toEqual({
      messageId: id,
      consumer: "flip-alias",
      reason: "Lambda was away",
      about: "environment/web/production",
      decided: { what: "redriven", at: expect.any(String), by: "alice (token default)", why: "Lambda is back" },
    });
    expect(await taken(queueName("flip-alias"))).toEqual([event(2)]);
    expect(await listed()).not.toContainEqual(expect.objectContaining({ messageId: id }));
    expect(await told(id)).toEqual([{ type: "LetterRedriven", body, actor: await inLog(room.engine, "alice (token default)") }]);

    const row = (await ask("GET", "/audit?site=web")).body.rows.find(({ type }: { type: string }) => type === "LetterRedriven");
    expect(row).toMatchObject({ site: "web", environment: "production", why: "Lambda is back", stream: letterStream(id) });
  });

  it("twice with one key, and by two people at once, sends it once", async () => {
    const id = await aside("stop-build", "sent once");
    const answers = await Promise.all([
      command(room.app, `${id}/redrive`, {}, "same"),
      command(room.app, `${id}/redrive`, {}, "same"),
      command(room.app, `${id}/redrive`, {}),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1);
    expect(await taken(queueName("stop-build"))).toEqual(["sent once"]);
    expect(await told(id)).toHaveLength(1);
    // whoever wants something else with it hears what became of it
    expect(await ask("POST", `/dead-letters/${id}/drop`, { reason: "late" })).toMatchObject({
      status: 404,
      body: { error: { code: "letter.unknown", message: expect.stringContaining("alice (token default) has redriven it") } },
    });
  }, 60_000);

  it.each([
    ["the queue does not take it", { sendAgain: broken }, []],
    ["it cannot be removed", { remove: broken }, ["half-done-2", "half-done-2"]],
  ])("that fails where %s leaves it there with its decision, and is finished by whoever asks again", async (why, trouble, sent) => {
    const body = why.startsWith("it") ? "half-done-2" : "half-done-1";
    const id = await aside("watch-build", body);
    expect(
      (
        await command(
          withTrouble(() => trouble),
          `${id}/redrive`,
          {},
          body,
        )
      ).status,
    ).toBe(500);
    expect((await listed()).find(({ messageId }) => messageId === id)).toMatchObject({ decided: { what: "redriven" } });
    expect((await command(room.app, `${id}/redrive`, {}, body)).status).toBe(200);
    expect(await listed()).not.toContainEqual(expect.objectContaining({ messageId: id }));
    expect(await taken(queueName("watch-build"))).toEqual(sent.length === 0 ? [body] : sent);
    expect(await told(id)).toHaveLength(1);
  });

  it("that was killed half-way is waited for, so that nobody hears that it was sent while it was not", async () => {
    const id = await aside("start-build", "killed");
    // who is killed gives nothing back
    const killed = withTrouble(() => ({ sendAgain: broken, giveBack: async () => undefined }));
    expect((await command(killed, `${id}/redrive`, {}, "killed")).status).toBe(500);
    expect(await taken(queueName("start-build"))).toEqual([]);
    expect((await command(room.app, `${id}/redrive`, {}, "killed")).status).toBe(200);
    expect(await taken(queueName("start-build"))).toEqual(["killed"]);
    expect(await told(id)).toHaveLength(1);
  }, 60_000);

  it("of a page goes through the site's FIFO queue, which would drop what it had before", async () => {
    const QueueUrl = await urlOf(resources.revalidationDeadLetters);
    const body = JSON.stringify({ host: "web.example.com", url: "/old" });
    const sent = { MessageBody: body, MessageGroupId: "g", MessageDeduplicationId: "page" };
    await room.clients.sqs.send(new SendMessageCommand({ ...sent, QueueUrl: await urlOf(resources.revalidationQueue) }));
    expect(await taken(resources.revalidationQueue)).toEqual([body]);
    await room.clients.sqs.send(new SendMessageCommand({ QueueUrl, ...sent }));
    const [letter] = (await listed()).filter(({ consumer }) => consumer === "revalidation of web/production");
    expect(letter).toMatchObject({ about: { stream: "environment/web/production", event: null } });
    await ask("POST", `/dead-letters/${letter?.messageId}/redrive`, {});
    // its group is at work on the first: the second waits behind it
    const waiting = new GetQueueAttributesCommand({
      QueueUrl: await urlOf(resources.revalidationQueue),
      AttributeNames: ["ApproximateNumberOfMessages"],
    });
    expect((await room.clients.sqs.send(waiting)).Attributes?.ApproximateNumberOfMessages).toBe("1");
    expect(await listed()).not.toContainEqual(expect.objectContaining({ messageId: letter?.messageId }));
  }, 60_000);
});

describe("dropping a dead letter", () => {
  it("needs a reason, keeps who and why, and never its body", async () => {
    const id = await aside("deliver", '{"secret":"hunter2"}', "410 Gone");
    for (const body of [{}, { reason: " " }])
      expect(await ask("POST", `/dead-letters/${id}/drop`, body)).toMatchObject({ status: 400, body: { error: { code: "body.invalid" } } });
    expect((await listed()).map(({ messageId }) => messageId)).toContain(id);
    expect((await ask("POST", `/dead-letters/${id}/drop`, { reason: "the endpoint moved" })).status).toBe(200);
    expect(await listed()).not.toContainEqual(expect.objectContaining({ messageId: id }));
    expect(await told(id)).toEqual([
      {
        type: "LetterDropped",
        body: { consumer: "deliver", failure: "410 Gone", about: null, reason: "the endpoint moved" },
        actor: await inLog(room.engine, "alice (token default)"),
      },
    ]);
    expect(JSON.stringify([(await ask("GET", "/events")).body, room.reported])).not.toContain("hunter2");
  });

  it("that fails leaves it there with its decision, and another one may be made of it", async () => {
    const id = await aside("publish-release", "not dropped");
    expect(
      (
        await command(
          withTrouble(() => ({ remove: broken })),
          `${id}/drop`,
          { reason: "old" },
        )
      ).status,
    ).toBe(500);
    expect((await ask("GET", `/dead-letters/${id}`)).body.letter.decided).toMatchObject({ what: "dropped", why: "old" });
    expect((await ask("POST", `/dead-letters/${id}/redrive`, {})).status).toBe(200);
    expect(await taken(queueName("publish-release"))).toEqual(["not dropped"]);
    expect((await told(id)).map(({ type }) => type)).toEqual(["LetterDropped", "LetterRedriven"]);
  });
});
