import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { CreateFunctionCommand, DeleteFunctionCommand, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { lambdaFunctions, type Settings } from "../../engine/aws/functions.ts";
import { systemClock } from "../../engine/wiring/engine.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { placeholderZip } from "../../local/provision/placeholder.ts";
import { type Code, PublishRefused, publishFunction } from "../../services/publish-release/publish-function.ts";
import { hostileLambda } from "../support/hostile-lambda.ts";

/** How publishing a function keeps Lambda's contract: the local one here, and any that is given the same calls. */
const ARCHITECTURE = process.arch === "arm64" ? "arm64" : "x86_64";
const BUCKET = "code";
const settings: Settings = { handler: "index.handler", memoryMb: 256, timeoutSeconds: 5, variables: { COLOUR: "blue" } };

let folder: string;
let aws: LocalAws;
let functions: ReturnType<typeof lambdaFunctions>;
let name: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-publish-"));
  aws = await startAws({ dataDir: folder, log: () => undefined });
  functions = lambdaFunctions(aws.clients.lambda);
  await aws.clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
});
afterAll(async () => {
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  made += 1;
  name = `function-${made}`;
  await aws.clients.lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: "arn:aws:iam::000000000000:role/site",
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Architectures: [ARCHITECTURE],
      Code: { ZipFile: await placeholderZip() },
    }),
  );
});

/** Code that returns a word, in the bucket. */
const code = async (word: string): Promise<Code> => {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(`export const handler = async () => "${word}";\n`), "index.mjs", { mtime: new Date(315_600_000_000) });
  zip.end();
  const Body = await buffer(zip.outputStream);
  const key = `${word}.zip`;
  await aws.clients.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body }));
  return { bucket: BUCKET, key, sha256: createHash("sha256").update(Body).digest("base64") };
};

const publish = (what: Code, how: Settings = settings) => publishFunction({ functions, clock: systemClock }, name, what, how, ARCHITECTURE);
const versions = async () => (await functions.versions(name)).map(({ version }) => version);
const says = async (version: string) => JSON.parse((await functions.invoke(name, version, {})).payload);

it("publishes code and settings as one version that runs", async () => {
  const { version, codeSha256 } = await publish(await code("ahoy"));
  expect(await functions.get(name, version)).toMatchObject({ ...settings, codeSha256, state: "Active" });
  expect(await says(version)).toBe("ahoy");
});

it("takes the version that is there already with the same code and the same settings", async () => {
  const [one, two] = [await code("one"), await code("two")];
  const first = await publish(one);
  await publish(two);
  const updates = () => aws.endpoint.counters()["lambda.UpdateFunctionCode"];
  const before = updates();
  expect(await publish(one)).toEqual(first);
  expect(updates()).toBe(before);
  expect(await versions()).toHaveLength(2);
});

it("makes another version for the same code with other settings, and leaves the first as it was", async () => {
  const same = await code("same");
  const blue = await publish(same);
  const red = await publish(same, { ...settings, variables: { COLOUR: "red" } });
  expect(red.version).not.toBe(blue.version);
  expect((await functions.get(name, blue.version))?.variables).toEqual({ COLOUR: "blue" });
  expect((await functions.get(name, red.version))?.variables).toEqual({ COLOUR: "red" });
});

it.each(["UpdateFunctionConfiguration", "UpdateFunctionCode"])("goes on after a crash right behind %s", async (operation) => {
  const hostile = hostileLambda(aws);
  hostile.refuse({ operation, status: 400, code: "TheProcessDied", times: 1, yetDone: true });
  const what = await code(`after-${operation}`);
  await expect(publish(what)).rejects.toThrow("planted");
  hostile.mend();
  const { version } = await publish(what);
  expect(await versions()).toEqual([version]);
  expect(await says(version)).toBe(`after-${operation}`);
});

it("ends with one version, however many publish the same at once", async () => {
  const what = await code("crowd");
  const published = await Promise.all(Array.from({ length: 8 }, () => publish(what)));
  expect(new Set(published.map(({ version }) => version)).size).toBe(1);
  expect(await versions()).toHaveLength(1);
});

it("gives each its own, where several publish different things at once", async () => {
  const words = ["red", "green", "gold"];
  const all = await Promise.all(
    words.map(async (word) => ({ word, ...(await publish(await code(word), { ...settings, variables: { COLOUR: word } })) })),
  );
  for (const { word, version } of all) {
    expect(await says(version)).toBe(word);
    expect((await functions.get(name, version))?.variables).toEqual({ COLOUR: word });
  }
});

it("is not misled by a change of somebody else in between", async () => {
  const hostile = hostileLambda(aws);
  hostile.afterEach(async (operation) => {
    if (operation !== "UpdateFunctionConfiguration") return;
    hostile.mend();
    // whoever it is changes the memory as soon as Lambda lets them
    for (let tries = 0; tries < 100; tries++) {
      const change = new UpdateFunctionConfigurationCommand({ FunctionName: name, MemorySize: 512 });
      const done = await aws.clients.lambda.send(change).then(
        () => true,
        () => false,
      );
      if (done) return;
    }
  });
  const { version } = await publish(await code("contested"));
  expect(await functions.get(name, version)).toMatchObject(settings);
});

it("never answers with other code than was asked for", async () => {
  const what = await code("right");
  const wrong = { ...what, sha256: (await code("wrong")).sha256 };
  await expect(publish(wrong)).rejects.toThrow(/published other code .* than was uploaded/);
});

it("says what is final: no function, no such code", async () => {
  const gone = { bucket: BUCKET, key: "nowhere.zip", sha256: "none" };
  await expect(publish(gone)).rejects.toThrow(PublishRefused);
  await aws.clients.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  await expect(publish(await code("late"))).rejects.toThrow(/does not exist: declare the site/);
});
