import { readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import {
  BatchGetBuildsCommand,
  type Build,
  CodeBuildClient,
  CreateProjectCommand,
  StartBuildCommand,
  type StartBuildCommandInput,
} from "@aws-sdk/client-codebuild";
import { expect } from "vitest";
import { s3Client } from "../../engine/aws/clients.ts";
import { zipDirectory } from "../../engine/zip/archive.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type CodeBuildOptions, type LocalCodeBuild, startCodeBuild } from "../../local/codebuild/codebuild.ts";
import { AwsError } from "../../local/http.ts";
import { ANY_KEY } from "../support/any-key.ts";

export type Room = Awaited<ReturnType<typeof openRoom>>;

// biome-ignore lint/suspicious/noExplicitAny: a detail is looked at from outside, as a consumer sees its JSON
type Detail = Record<string, any>;

/** The project that every test has. */
export const web = {
  name: "web",
  source: { type: "NO_SOURCE" as const, buildspec: "version: 0.2\nphases: {}\n" },
  artifacts: { type: "NO_ARTIFACTS" as const },
  cache: { type: "S3" as const, location: "artifacts/caches/web" },
  environment: {
    type: "LINUX_CONTAINER" as const,
    image: "aws/codebuild/standard:8.0",
    computeType: "BUILD_GENERAL1_SMALL" as const,
    environmentVariables: [{ name: "FROM_PROJECT", value: "project" }],
  },
  serviceRole: "arn:aws:iam::000000000000:role/build",
};

/** A CodeBuild behind a real HTTP server that also keeps S3 objects, with all it says gathered for the test. */
export async function openRoom(options: Partial<CodeBuildOptions> = {}) {
  const dir = await mkdtemp(join(tmpdir(), "codebuild-"));
  const objects = new Map<string, Buffer>();
  const events: { source: string; detailType: string; detail: Detail }[] = [];
  const log: { group: string; stream: string; message: string }[] = [];
  const secrets = new Map<string, string>();
  let service: LocalCodeBuild;

  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://x").pathname);
    if (!request.headers["x-amz-target"]) {
      if (request.method === "PUT") objects.set(path, body);
      const object = objects.get(path);
      response.statusCode = object ? 200 : 404;
      response.end(request.method === "PUT" || request.method === "HEAD" ? undefined : (object ?? "<Error><Code>NoSuchKey</Code></Error>"));
      return;
    }
    try {
      const headers = request.headers as Record<string, string>;
      const answer = await service.handle({ method: "POST", path, query: new URLSearchParams(), headers, body });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (error) {
      const known = error instanceof AwsError;
      if (!known) console.error(error);
      response.writeHead(known ? error.status : 500, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify({ __type: known ? error.code : "InternalFailure", message: (error as Error).message }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const place = clientOptions({ url, credentials: ANY_KEY });
  const client = new CodeBuildClient({ ...place, maxAttempts: 1 });
  const s3 = s3Client(place);

  const start = async () => {
    service = await startCodeBuild({
      dataDir: dir,
      s3,
      emit: async (event) => void events.push(structuredClone(event) as (typeof events)[number]),
      appendLog: (group, stream, lines) => void log.push(...lines.map(({ message }) => ({ group, stream, message }))),
      secret: async (id) => {
        const value = secrets.get(id);
        if (value === undefined) throw Object.assign(new Error("no such secret"), { name: "ResourceNotFoundException" });
        return value;
      },
      ...options,
    });
  };
  await start();
  await client.send(new CreateProjectCommand(web));

  const get = async (id: string | undefined): Promise<Build> => {
    const { builds } = await client.send(new BatchGetBuildsCommand({ ids: [id as string] }));
    return builds?.[0] as Build;
  };

  return {
    get,
    ended: ({ id }: Build) =>
      until(async () => {
        const build = await get(id);
        return build.buildComplete && build;
      }),
    /** The statuses that a build's events told, in order. */
    states: (build: Build) =>
      events
        .filter(({ detailType, detail }) => detailType === "CodeBuild Build State Change" && detail["build-id"] === build.arn)
        .map(({ detail }) => detail["build-status"]),
    dir,
    client,
    events,
    log,
    secrets,
    objects,
    service: () => service,
    text: () => log.map(({ message }) => message).join("\n"),
    async restart() {
      await service.close();
      await start();
    },
    async putSource(key: string, files: Record<string, string>) {
      const folder = join(dir, "made", key);
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(folder, name)), { recursive: true });
        await writeFile(join(folder, name), content);
      }
      const zip = join(dir, `made-${key.replaceAll("/", "-")}.zip`);
      await zipDirectory(folder, zip);
      objects.set(`/sources/${key}`, await readFile(zip));
    },
    async startBuild(buildspec: string | undefined, extra: Partial<StartBuildCommandInput> = {}): Promise<Build> {
      const { build } = await client.send(new StartBuildCommand({ projectName: "web", buildspecOverride: buildspec, ...extra }));
      return build as Build;
    },
    async close() {
      await service.close();
      client.destroy();
      s3.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A buildspec of one line of JSON per section, so that indentation cannot go wrong. */
export const spec = (sections: { build?: string[]; [section: string]: unknown }) => {
  const { build, phases, ...rest } = sections;
  return `version: 0.2\n${Object.entries({ ...rest, phases: phases ?? { build: { commands: build } } })
    .map(([name, section]) => `${name}: ${JSON.stringify(section)}`)
    .join("\n")}`;
};

/** Waits until `look` gives something; fails loudly after `patienceMs`. */
export async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false, patienceMs = 20_000): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; ) {
    const seen = await look();
    if (seen) return seen as T;
    if (Date.now() > deadline) expect.fail(`waited ${patienceMs} ms in vain for: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const phases = (build: Build) =>
  Object.fromEntries(build.phases?.map(({ phaseType, phaseStatus }) => [phaseType, phaseStatus]) ?? []);

export const contextOf = (build: Build, phase: string) => build.phases?.find(({ phaseType }) => phaseType === phase)?.contexts?.[0];

/** Processes whose environment carries this build's id, however they left their parents. */
export const processesOf = (build: Build) =>
  readdirSync("/proc").filter((pid) => {
    try {
      if (!/^\d+$/.test(pid) || /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))) return false;
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`CODEBUILD_BUILD_ID=${build.id}`);
    } catch {
      return false;
    }
  });
