import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newAccount } from "../../local/account-limits.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { until } from "../support/until.ts";
import { type Receiver, startReceiver } from "../support/webhook-receiver.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** A person's commands: they ask again where the API had no room, as everybody's do. */
const shiplog = (...words: string[]) => runCli(words, { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });
const done = async (...words: string[]): Promise<string> => {
  const { code, out, err } = await shiplog(...words);
  expect(code, out + err).toBe(0);
  return out + err;
};
const deploy = async (environment: string): Promise<string> =>
  done("deploy", await world.app(), "--site", "web", "--env", environment, "--yes");
/** The release that answers there. */
const released = async (environment: string): Promise<string | null> => {
  const answer = await fetch(world.urlOf(environment));
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
  return answer.headers.get("x-shiplog-deployment");
};

describe("on a new account", () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  it("a first day goes well: two deployments at once, one more, a rollback, a webhook that hears of all", async () => {
    world = await startWorld({ environments: ["production", "preview"], account: newAccount(), allowLoopbackWebhooks: true });
    await done("webhooks", "add", receiver.url("ok/day"), "--outcomes");

    const said = await Promise.all([deploy("production"), deploy("preview")]);
    const waited = "waiting for CodeBuild: Cannot have more than 1 builds in queue for the account";
    expect(said.filter((text) => text.includes(waited))).toHaveLength(1);
    const [first, preview] = [await released("production"), await released("preview")];
    expect(preview).not.toBe(first);
    await deploy("production");
    expect(await released("production")).not.toBe(first);
    await done("rollback", "web/production", "--reason", "it was better before", "--yes");
    expect([await released("production"), await released("preview")]).toEqual([first, preview]);

    const told = await until("the webhook to hear of all", async () => {
      const types = (await receiver.at("ok/day")).map(({ body }) => (JSON.parse(body) as { type: string }).type);
      return types.length >= 4 && types;
    });
    expect(told).toHaveLength(4);

    const places: (() => void)[] = [];
    await until("every place to be taken", async () => {
      try {
        for (;;) places.push(world.aws.lambda.concurrency.begin());
      } catch {
        return places.length === 10;
      }
    });
    const refused = await fetch(world.urlOf("production"));
    expect([refused.status, await refused.json()]).toEqual([429, expect.objectContaining({ Reason: "ConcurrentInvocationLimitExceeded" })]);
    for (const end of places) end();
    expect(await released("production")).toBe(first);
  });

  it("a rollback goes through though twenty webhooks hang: no consumer may have what all must share", async () => {
    world = await startWorld({ environments: ["production"], account: newAccount(), allowLoopbackWebhooks: true });
    await deploy("production");
    const first = await released("production");
    await deploy("production");
    for (let n = 0; n < 20; n++) await done("webhooks", "add", receiver.url(`hang/${n}`));
    await done("pin", "web/production", "--reason", "everybody is told");
    await until("deliveries to hang", async () => (await receiver.all()).filter(({ path }) => path.startsWith("/hang/")).length >= 2);
    await done("rollback", "web/production", "--reason", "it was better before", "--yes");
    expect(await released("production")).toBe(first);
  });

  it("that may have no build yet, a deployment ends at once and says what to ask AWS for", async () => {
    world = await startWorld({ environments: ["production"], account: newAccount(0) });
    const { code, err, out } = await shiplog("deploy", await world.app(), "--site", "web", "--env", "production", "--yes");
    expect(code).toBe(5);
    expect(out + err).toContain("Cannot have more than 0 builds in queue for the account");
    expect(out + err).toContain("ask AWS to raise the quota");
  });
});
