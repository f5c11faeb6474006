import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NoBuildCapacity, NoBuildQuota } from "../../engine/aws/builds.ts";
import { SecretDamaged } from "../../engine/aws/secrets.ts";
import { type Ports, startBuild } from "../../services/start-build/start-build.ts";
import { builder, report } from "../support/builder.ts";
import { deploymentId } from "../support/samples.ts";
import { startVerbRoom, steps, type VerbRoom } from "../support/verb-room.ts";

let room: VerbRoom;
beforeAll(async () => {
  room = await startVerbRoom();
});
afterAll(() => room.close());

const variables = { API_URL: "0123456789abcdef" };
const valuesOf: Ports["valuesOf"] = async () => ({ missing: [], variables });
/** Where nothing is expected to wait. */
const comeAgain = (): Promise<void> => expect.unreachable();

describe("start-build", () => {
  it("starts the build of a queued deployment, and writes down which it is and where its log is", async () => {
    const { queue, stream } = steps(1);
    await room.deployment(1, queue(1));
    const { asked, builds } = builder();
    await startBuild({ ...room, valuesOf, comeAgain, builds })(await room.newest(stream, "DeploymentQueued"));
    expect(asked).toEqual([`start ${deploymentId(1)} 1024`]);
    expect((await room.newest(stream, "BuildStarted")).body).toMatchObject({
      buildId: `shiplog-web:of-${deploymentId(1)}`,
      logs: `builds:shiplog-web:of-${deploymentId(1)}`,
      variables,
    });
  });

  it.each(["building", "failed"])("starts nothing for what is %s already", async (status) => {
    const n = status === "building" ? 2 : 3;
    const { queue, began, stream } = steps(n);
    await room.deployment(n, queue(1), status === "building" ? began : { type: "FailDeployment", step: "queue", reason: "no room" });
    const { asked, builds } = builder();
    await startBuild({ ...room, valuesOf, comeAgain, builds })(await room.newest(stream, "DeploymentQueued"));
    expect(asked).toEqual([]);
  });

  it("starts no build that would find no value for a variable, and says which one lacks it and how to give it", async () => {
    const { queue, stream } = steps(12);
    await room.deployment(12, queue(1));
    const { asked, builds } = builder();
    const missing = ["API_KEY", "NEXT_SERVER_ACTIONS_ENCRYPTION_KEY"];
    await startBuild({ ...room, comeAgain, builds, valuesOf: async () => ({ missing }) })(await room.newest(stream, "DeploymentQueued"));
    expect(asked).toEqual([]);
    const { reason } = (await room.newest(stream, "BuildFailed")).body as { reason: string };
    expect(reason).toBe(
      "API_KEY, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY have no value, which builds of web/production are given. Give one to each, then retry: shiplog env set API_KEY --site web --env production; openssl rand -base64 32 | shiplog env set NEXT_SERVER_ACTIONS_ENCRYPTION_KEY --site web --env production",
    );
  });

  it.each([
    [new SecretDamaged("the secret is not a flat JSON object of strings"), "the secret is not a flat JSON object of strings, then retry"],
    [
      Object.assign(new Error("Secrets Manager can't find it"), { name: "ResourceNotFoundException" }),
      "the values of web/production cannot be read",
    ],
  ])("says at once that the values cannot be read: %s", async (error, sentence) => {
    const n = error instanceof SecretDamaged ? 16 : 17;
    await room.deployment(n, steps(n).queue(1));
    const { asked, builds } = builder();
    await startBuild({ ...room, comeAgain, builds, valuesOf: () => Promise.reject(error) })(
      await room.newest(steps(n).stream, "DeploymentQueued"),
    );
    expect(asked).toEqual([]);
    expect((await room.newest(steps(n).stream, "BuildFailed")).body).toMatchObject({ reason: expect.stringContaining(sentence) });
  });

  it("asks again where the values cannot be read for a while", async () => {
    await room.deployment(18, steps(18).queue(1));
    const { asked, builds } = builder();
    const away = Object.assign(new Error("Rate exceeded"), { name: "ThrottlingException", $metadata: { httpStatusCode: 400 } });
    await expect(
      startBuild({ ...room, comeAgain, builds, valuesOf: () => Promise.reject(away) })(
        await room.newest(steps(18).stream, "DeploymentQueued"),
      ),
    ).rejects.toBe(away);
    expect([asked, await room.typesOf(steps(18).stream)]).toEqual([[], ["DeploymentQueued"]]);
  });

  it("stops a build that nobody waits for any more: the deployment ended while it was started", async () => {
    const { queue, stream } = steps(4);
    await room.deployment(4, queue(1));
    const { asked, builds } = builder();
    const endsMeanwhile: Ports["builds"]["start"] = async (ask) => {
      await room.deployment(4, { type: "SupersedeDeployment", by: { sequence: 2 }, onlyQueued: true });
      return builds.start(ask);
    };
    await startBuild({ ...room, valuesOf, comeAgain, builds: { ...builds, start: endsMeanwhile } })(
      await room.newest(stream, "DeploymentQueued"),
    );
    expect(asked).toEqual([`start ${deploymentId(4)} 1024`, `stop shiplog-web:of-${deploymentId(4)}`]);
  });

  it("waits for less than a minute where CodeBuild has no room, and says so once, with its words", async () => {
    const { queue, stream } = steps(5);
    await room.deployment(5, queue(1));
    const { builds } = builder({ start: () => Promise.reject(new NoBuildCapacity("Cannot have more than 1 builds in queue")) });
    const waits: [string, number][] = [];
    for (let minute = 0; minute < 3; minute++)
      await startBuild({ ...room, valuesOf, builds, comeAgain: async ({ stream }, seconds) => void waits.push([stream, seconds]) })(
        await room.newest(stream, "DeploymentQueued"),
      );
    expect(waits).toEqual(Array(3).fill([stream, 45]));
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "BuildDeferred"]);
    expect((await room.newest(stream, "BuildDeferred")).body).toEqual({
      reason: "waiting for CodeBuild: Cannot have more than 1 builds in queue",
    });
  });

  it("says that the deployment failed, and what to ask AWS for, where CodeBuild lets the account have no build at all", async () => {
    const { queue, stream } = steps(15);
    await room.deployment(15, queue(1));
    const { builds } = builder({
      start: () => Promise.reject(new NoBuildQuota("Cannot have more than 0 builds in queue for the account")),
    });
    await startBuild({ ...room, valuesOf, comeAgain, builds })(await room.newest(stream, "DeploymentQueued"));
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "BuildFailed", "DeploymentFailed"]);
    expect((await room.newest(stream, "BuildFailed")).body).toMatchObject({
      reason: expect.stringMatching(/Cannot have more than 0 builds in queue for the account\. .*ask AWS to raise the quota/),
    });
  });

  it("says that the deployment failed where CodeBuild will never take it", async () => {
    const { queue, stream } = steps(6);
    await room.deployment(6, queue(1));
    const gone = Object.assign(new Error("no project shiplog-web"), { name: "ResourceNotFoundException" });
    const { builds } = builder({ start: () => Promise.reject(gone) });
    await startBuild({ ...room, valuesOf, comeAgain, builds })(await room.newest(stream, "DeploymentQueued"));
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "BuildFailed", "DeploymentFailed"]);
  });

  it("leaves what may pass to the queue's next try", async () => {
    const { queue, stream } = steps(7);
    await room.deployment(7, queue(1));
    const { builds } = builder({ start: () => Promise.reject(new Error("throttled")) });
    await expect(startBuild({ ...room, valuesOf, comeAgain, builds })(await room.newest(stream, "DeploymentQueued"))).rejects.toThrow(
      "throttled",
    );
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued"]);
  });

  it("looks for a build that an earlier delivery started, before it says that none was: the cancel must see it stop", async () => {
    const { queue, cancel, stream } = steps(8);
    await room.deployment(8, queue(1), cancel);
    const { builds } = builder({ find: async () => report("shiplog-web:lost") });
    await startBuild({ ...room, valuesOf, comeAgain, builds })(await room.newest(stream, "DeploymentQueued"));
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "CancelRequested", "BuildStarted"]);
  });

  it("ends the cancel where no build was started", async () => {
    const { queue, cancel, stream } = steps(9);
    await room.deployment(9, queue(1), cancel);
    await startBuild({ ...room, valuesOf, comeAgain, builds: builder().builds })(await room.newest(stream, "DeploymentQueued"));
    expect(await room.typesOf(stream)).toEqual(["DeploymentQueued", "CancelRequested", "DeploymentCancelled"]);
  });
});
