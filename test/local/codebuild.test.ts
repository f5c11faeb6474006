import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  BatchGetBuildsCommand,
  BatchGetProjectsCommand,
  type Build,
  CreateProjectCommand,
  DeleteProjectCommand,
  ListBuildsForProjectCommand,
  ListProjectsCommand,
  StopBuildCommand,
  UpdateProjectCommand,
} from "@aws-sdk/client-codebuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unzipInto } from "../../services/kit/archive.ts";
import { openRoom, type Room, spec, until } from "./codebuild-room.ts";

let room: Room;
const open = async (options: Parameters<typeof openRoom>[0] = {}) => {
  room = await openRoom(options);
  await room.client.send(new CreateProjectCommand(web));
};
afterEach(() => room.close());

const web = {
  name: "web",
  source: { type: "NO_SOURCE" as const, buildspec: "version: 0.2\nphases: {}\n" },
  artifacts: { type: "NO_ARTIFACTS" as const },
  environment: {
    type: "LINUX_CONTAINER" as const,
    image: "aws/codebuild/standard:8.0",
    computeType: "BUILD_GENERAL1_SMALL" as const,
    environmentVariables: [{ name: "FROM_PROJECT", value: "project" }],
  },
  serviceRole: "arn:aws:iam::000000000000:role/build",
};

const get = async (id: string | undefined) => {
  const { builds } = await room.client.send(new BatchGetBuildsCommand({ ids: [id as string] }));
  return builds?.[0] as Build;
};
const ended = ({ id }: Build) =>
  until(async () => {
    const build = await get(id);
    return build.buildComplete && build;
  });
const phases = (build: Build) => Object.fromEntries(build.phases?.map(({ phaseType, phaseStatus }) => [phaseType, phaseStatus]) ?? []);
const contextOf = (build: Build, phase: string) => build.phases?.find(({ phaseType }) => phaseType === phase)?.contexts?.[0];
const said = (text: string) => until(() => room.text().includes(text));
const states = (build: Build) =>
  room.events
    .filter(({ detailType, detail }) => detailType === "CodeBuild Build State Change" && detail["build-id"] === build.arn)
    .map(({ detail }) => detail["build-status"]);

/** Processes whose environment carries this build's id, however they left their parents. */
const processesOf = (build: Build) =>
  readdirSync("/proc").filter((pid) => {
    try {
      if (!/^\d+$/.test(pid) || /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))) return false;
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`CODEBUILD_BUILD_ID=${build.id}`);
    } catch {
      return false;
    }
  });

describe("a build that works", () => {
  beforeEach(() => open({ environment: { FROM_ENDPOINT: "endpoint" } }));

  it("runs the source's buildspec, exports variables and uploads an artifact", async () => {
    await room.putSource("app/1.zip", {
      "buildspec.yml": spec({
        env: { variables: { FROM_SPEC: "spec", FROM_PROJECT: "never" }, "exported-variables": ["RELEASE", "SEEN", "UNSET"] },
        phases: {
          install: { commands: ["export RELEASE=rel-1", "mkdir -p out/.hidden 'out/[slug]'"] },
          build: {
            commands: [
              'export SEEN="$FROM_SPEC $FROM_PROJECT $FROM_REQUEST $FROM_ENDPOINT"',
              "cp input.txt out/a.txt; echo 1 > out/.hidden/.b; echo 2 > 'out/[slug]/c.js'; echo 3 > out/left.log; ln -s ../../input.txt out/.hidden/link",
            ],
          },
        },
        artifacts: { files: ["**/*"], "base-directory": "out", "exclude-paths": ["*.log"] },
      }),
      "input.txt": "hello",
    });
    const started = await room.startBuild(undefined, {
      sourceTypeOverride: "S3",
      sourceLocationOverride: "sources/app/1.zip",
      buildspecOverride: "buildspec.yml",
      environmentVariablesOverride: [{ name: "FROM_REQUEST", value: "request" }],
      artifactsOverride: { type: "S3", location: "artifacts", path: "/web/", name: "one.zip", packaging: "ZIP", namespaceType: "NONE" },
    });
    expect(started).toMatchObject({
      buildStatus: "IN_PROGRESS",
      buildComplete: false,
      buildNumber: 1,
      projectName: "web",
      currentPhase: "QUEUED",
    });
    expect(started.id).toMatch(/^web:[0-9a-f-]{36}$/);
    expect(started.arn).toBe(`arn:aws:codebuild:eu-west-1:000000000000:build/${started.id}`);

    const build = await ended(started);
    expect(build.buildStatus, room.text()).toBe("SUCCEEDED");
    expect(build.exportedEnvironmentVariables).toEqual([
      { name: "RELEASE", value: "rel-1" },
      { name: "SEEN", value: "spec project request endpoint" },
    ]);
    expect(build.endTime?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(Object.keys(phases(build))).toEqual(
      "SUBMITTED QUEUED PROVISIONING DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED".split(" "),
    );

    expect(build.artifacts?.location).toBe("arn:aws:s3:::artifacts/web/one.zip");
    const zip = room.objects.get("/artifacts/web/one.zip") as Buffer;
    await writeFile(join(room.dir, "one.zip"), zip);
    await unzipInto(join(room.dir, "one.zip"), join(room.dir, "unpacked"));
    const { createHash } = await import("node:crypto");
    expect(build.artifacts?.sha256sum).toBe(createHash("sha256").update(zip).digest("hex"));
    expect(build.artifacts?.md5sum).toBe(createHash("md5").update(zip).digest("hex"));
    expect((await readdir(join(room.dir, "unpacked"), { recursive: true })).sort()).toEqual(
      [".hidden", ".hidden/.b", ".hidden/link", "[slug]", "[slug]/c.js", "a.txt"].sort(),
    );
    expect(await readFile(join(room.dir, "unpacked/.hidden/link"), "utf8")).toBe("hello");
    expect(await readdir(join(room.dir, "codebuild/work"))).toEqual([]);
  });

  it("announces its start, every phase and its end, as CodeBuild's events have them", async () => {
    const build = await ended(
      await room.startBuild(spec({ build: ["true"] }), { environmentVariablesOverride: [{ name: "PLAIN", value: "seen" }] }),
    );
    await until(() => states(build).length === 2);
    expect(states(build)).toEqual(["IN_PROGRESS", "SUCCEEDED"]);
    const { source, detail } = room.events.at(-1) as Room["events"][number];
    expect(source).toBe("aws.codebuild");
    expect(detail).toMatchObject({ "project-name": "web", "build-id": build.arn, "current-phase": "COMPLETED", version: "1" });
    const more = detail["additional-information"];
    expect(more).toMatchObject({ "build-complete": true, "build-number": 1, initiator: "local", "timeout-in-minutes": 60 });
    expect(more["build-start-time"]).toMatch(/^[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M$/);
    expect(more.environment["environment-variables"]).toContainEqual({ name: "PLAIN", type: "PLAINTEXT", value: "seen" });
    expect(more.logs).toMatchObject({ "group-name": "/aws/codebuild/web", "stream-name": build.id?.split(":")[1] });
    expect(more.phases.at(-1)).toEqual({ "phase-type": "COMPLETED", "start-time": expect.any(String) });
    const completed = room.events.filter(({ detailType }) => detailType === "CodeBuild Build Phase Change").map((event) => event.detail);
    expect(completed.map((one) => one["completed-phase"])).toEqual(
      "QUEUED PROVISIONING DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD POST_BUILD UPLOAD_ARTIFACTS FINALIZING".split(" "),
    );
    expect(completed.every((one) => one["completed-phase-status"] === "SUCCEEDED")).toBe(true);
  });

  it("keeps variables, functions and the folder from one command to the next", async () => {
    const build = await ended(
      await room.startBuild(
        spec({
          env: { "exported-variables": ["RESULT", "AFTER_EXIT"] },
          phases: {
            install: { commands: ["export A='a \"quoted\" $value'", "local_b=b", "greet() { echo hello-$1; }", "mkdir deep", "cd deep"] },
            pre_build: { commands: ["export D=d; exit 0"] },
            build: { commands: ['export RESULT="$A/$(basename "$PWD")"', 'test "$D" = d'] },
            post_build: { commands: ["f() { echo func-$local_c; }; local_c=c", "export AFTER_EXIT=$(f)"] },
          },
        }),
      ),
    );
    expect(build.buildStatus, room.text()).toBe("SUCCEEDED");
    expect(build.exportedEnvironmentVariables).toEqual([
      { name: "RESULT", value: 'a "quoted" $value/deep' },
      { name: "AFTER_EXIT", value: "func-c" },
    ]);
  });

  it("has this Node and npm first in its path, the registry's settings, and nothing else of the endpoint's environment", async () => {
    process.env.ENDPOINT_ONLY = "must not leak";
    process.env.npm_config_fetch_retries = "3";
    const build = await ended(
      await room.startBuild(
        spec({
          env: { "exported-variables": ["NODE", "LEAK", "SETTING", "CI", "REGION"] },
          build: [
            "export NODE=$(node -p process.execPath) LEAK=$ENDPOINT_ONLY SETTING=$npm_config_fetch_retries REGION=$AWS_REGION",
            "npm --version",
            "read nothing || true",
          ],
        }),
      ),
    ).finally(() => {
      delete process.env.ENDPOINT_ONLY;
      delete process.env.npm_config_fetch_retries;
    });
    expect(build.buildStatus, room.text()).toBe("SUCCEEDED");
    expect(Object.fromEntries(build.exportedEnvironmentVariables?.map(({ name, value }) => [name, value]) ?? [])).toEqual({
      NODE: process.execPath,
      LEAK: "",
      SETTING: "3",
      CI: "true",
      REGION: "eu-west-1",
    });
  });

  it("keeps cached folders for the project's next build", async () => {
    const cached = spec({
      build: ["ls .next/cache || true", "mkdir -p .next/cache && echo kept > .next/cache/file"],
      cache: { paths: [".next/cache/**/*", "../../x/**", "/etc/**"] },
    });
    expect((await ended(await room.startBuild(cached))).buildStatus).toBe("SUCCEEDED");
    const second = await ended(await room.startBuild(cached));
    expect(second.buildStatus).toBe("SUCCEEDED");
    expect(room.text()).toContain("Restored from the cache: .next/cache");
    expect(room.log.some(({ stream, message }) => second.id?.endsWith(stream) && message === "file")).toBe(true);
  });

  it("logs commands and their output in order, to the build's own stream", async () => {
    const build = await ended(await room.startBuild(spec({ build: ["echo one; echo two >&2; printf three", "echo four"] })));
    expect(new Set(room.log.map(({ group, stream }) => `${group} ${stream}`))).toEqual(
      new Set([`/aws/codebuild/web ${build.id?.split(":")[1]}`]),
    );
    const lines = room.log.map(({ message }) => message.replace(/^\[Container\] \S+ \S+ /, "> "));
    const from = lines.indexOf("> Running command echo one; echo two >&2; printf three");
    expect(lines.slice(from + 1, from + 7)).toEqual([
      "one",
      "two",
      "three",
      "> Running command echo four",
      "four",
      "> Phase complete: BUILD State: SUCCEEDED",
    ]);
  });
});

describe("a build that fails", () => {
  beforeEach(() => open());

  it("ends its phase at the first failing command, still runs post_build, and says why", async () => {
    const build = await ended(
      await room.startBuild(
        spec({
          env: { "exported-variables": ["SUCCEEDING"] },
          phases: {
            build: { commands: ["echo before", "(exit 7)", "echo never"], finally: ["echo finally"] },
            post_build: { commands: ["export SUCCEEDING=$CODEBUILD_BUILD_SUCCEEDING"] },
          },
        }),
      ),
    );
    expect(build.buildStatus).toBe("FAILED");
    expect(phases(build)).toMatchObject({ BUILD: "FAILED", POST_BUILD: "SUCCEEDED", FINALIZING: "SUCCEEDED" });
    expect(build.exportedEnvironmentVariables).toEqual([{ name: "SUCCEEDING", value: "0" }]);
    const message = "Error while executing command: (exit 7). Reason: exit status 7";
    expect(contextOf(build, "BUILD")).toEqual({ statusCode: "COMMAND_EXECUTION_ERROR", message });
    expect(room.text()).toContain("Phase complete: BUILD State: FAILED");
    expect(room.text()).toContain(`Phase context status code: COMMAND_EXECUTION_ERROR Message: ${message}`);
    expect(room.text()).not.toMatch(/^never$/m);
    expect(room.text()).toMatch(/^finally$/m);
    await until(() => states(build).includes("FAILED"));
  });

  it("does not build when install fails, unless told to go on", async () => {
    const sections = (more: object) =>
      spec({ phases: { install: { commands: ["exit 3"], ...more }, build: { commands: ["echo built"] } } });
    const aborted = await ended(await room.startBuild(sections({})));
    expect(aborted.buildStatus).toBe("FAILED");
    expect(phases(aborted)).not.toHaveProperty("BUILD");
    const continued = await ended(await room.startBuild(sections({ "on-failure": "CONTINUE" })));
    expect(phases(continued)).toMatchObject({ INSTALL: "FAILED", BUILD: "SUCCEEDED" });
    expect(continued.buildStatus).toBe("SUCCEEDED");
  });

  it.each([
    [
      "the base directory is missing",
      { files: ["**/*"], "base-directory": "nowhere" },
      "no matching base directory path found for nowhere",
    ],
    ["no file matches", { files: ["*.nothing"] }, "no matching artifact paths found"],
    ["the base directory is outside", { files: ["*"], "base-directory": "../.." }, "no matching base directory path found for ../.."],
  ])("fails UPLOAD_ARTIFACTS when %s", async (_when, artifacts, message) => {
    const artifactsOverride = { type: "S3" as const, location: "artifacts", name: "x.zip", packaging: "ZIP" as const };
    const build = await ended(await room.startBuild(spec({ build: ["touch file"], artifacts }), { artifactsOverride }));
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build, "UPLOAD_ARTIFACTS")).toEqual({ statusCode: "CLIENT_ERROR", message });
    expect(room.objects.size).toBe(0);
  });

  it.each([
    ["is not YAML", "version: 0.2\nphases: [", "YAML"],
    ["has another version", "version: 0.1\nphases: {}", "version: must be 0.2"],
    ["uses what is not supported", spec({ build: ["true"], env: { "parameter-store": { A: "b" } } }), "use secrets-manager"],
  ])("fails DOWNLOAD_SOURCE when the buildspec %s", async (_what, buildspec, message) => {
    const build = await ended(await room.startBuild(buildspec));
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build, "DOWNLOAD_SOURCE")?.statusCode).toBe("YAML_FILE_ERROR");
    expect(contextOf(build, "DOWNLOAD_SOURCE")?.message).toContain(message);
  });

  it("refuses a hostile source archive with the reason", async () => {
    await room.putSource("evil.zip", { "aaaaaaa/evil": "x" });
    const zip = room.objects.get("/sources/evil.zip") as Buffer;
    room.objects.set(
      "/sources/evil.zip",
      Buffer.from(zip.toString("latin1").replaceAll("aaaaaaa/evil", "../../../evil".slice(0, 12)), "latin1"),
    );
    const source = { sourceTypeOverride: "S3" as const, sourceLocationOverride: "sources/evil.zip" };
    const build = await ended(await room.startBuild(spec({ build: ["true"] }), source));
    expect(build.buildStatus).toBe("FAILED");
    expect(phases(build)).toMatchObject({ DOWNLOAD_SOURCE: "FAILED" });
    expect(contextOf(build, "DOWNLOAD_SOURCE")?.message).toContain("the source archive is refused (unsafe-name)");
    const missing = await ended(await room.startBuild(undefined, { ...source, sourceLocationOverride: "sources/none.zip" }));
    expect(contextOf(missing, "DOWNLOAD_SOURCE")?.message).toContain("s3://sources/none.zip");
  });

  it("goes on when nobody takes its events or its log lines", async () => {
    await room.close();
    const fails = async () => {
      throw new Error("not today");
    };
    const complain = console.error;
    console.error = () => {};
    await open({ emit: fails, appendLog: fails });
    expect((await ended(await room.startBuild(spec({ build: ["echo hello"] })))).buildStatus).toBe("SUCCEEDED");
    console.error = complain;
  });
});

describe("secrets", () => {
  it("reach the build and appear nowhere else", async () => {
    await open();
    room.secrets.set("site/web", JSON.stringify({ key: "hunter2-secret", other: "x" }));
    room.secrets.set("arn:aws:secretsmanager:eu-west-1:000000000000:secret:pem-AbCdEf", "-----BEGIN\nline-of-key\n-----END");
    const build = await ended(
      await room.startBuild(
        spec({
          env: {
            "secrets-manager": { PEM: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:pem-AbCdEf" },
            "exported-variables": ["LENGTH", "COPY"],
          },
          build: [
            "export LENGTH=${#KEY} COPY=$KEY",
            'echo "the key is $KEY!"',
            'echo "$PEM"',
            'printf "hunter2-"; sleep 0.3; printf "secret"',
            "echo $KEY >&2; (exit 1) # hunter2-secret",
          ],
        }),
        { environmentVariablesOverride: [{ name: "KEY", value: "site/web:key", type: "SECRETS_MANAGER" }] },
      ),
    );
    await until(() => states(build).length === 2);
    expect(build.exportedEnvironmentVariables).toEqual([
      { name: "LENGTH", value: "14" },
      { name: "COPY", value: "***" },
    ]);
    expect(room.text()).toContain("the key is ***!");
    const everything = [
      build,
      room.events,
      room.log,
      readdirSync(join(room.dir, "codebuild/builds")).map((file) => readFileSync(join(room.dir, "codebuild/builds", file), "utf8")),
    ];
    const withoutBuildspec = JSON.stringify(everything).replaceAll("# hunter2-secret", ""); // the buildspec itself is no secret
    expect(withoutBuildspec).not.toContain("hunter2-secret");
    expect(withoutBuildspec).not.toContain("line-of-key");
  });

  it("that are missing fail the build, naming the variable and the secret", async () => {
    await open();
    const variable = { name: "KEY", value: "site/none:key", type: "SECRETS_MANAGER" as const };
    const build = await ended(await room.startBuild(undefined, { environmentVariablesOverride: [variable] }));
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build, "DOWNLOAD_SOURCE")?.message).toContain("the variable KEY is not set: the secret site/none cannot be read");
  });
});

describe("a build that must end early", () => {
  const stubborn = spec({ build: ["(trap '' TERM; sleep 300; sleep 300) & setsid sleep 301 & echo ready; sleep 302"] });

  it("is timed out, and nothing of it is left", async () => {
    await open({ minuteMs: 200 });
    const started = await room.startBuild(stubborn, { timeoutInMinutesOverride: 5 });
    const build = await ended(started);
    expect(build.buildStatus).toBe("TIMED_OUT");
    expect(phases(build)).toMatchObject({ BUILD: "TIMED_OUT" });
    expect(processesOf(build)).toEqual([]);
    await until(() => states(build).includes("TIMED_OUT"));
  });

  it("is stopped, and nothing of it is left", async () => {
    await open();
    const started = await room.startBuild(stubborn);
    await said("ready");
    expect(processesOf(started).length).toBeGreaterThan(2);
    await room.client.send(new StopBuildCommand({ id: started.id }));
    const build = await ended(started);
    expect(build.buildStatus).toBe("STOPPED");
    expect(phases(build)).toMatchObject({ BUILD: "STOPPED" });
    expect(processesOf(build)).toEqual([]);
    await until(() => states(build).includes("STOPPED"));
    const again = await room.client.send(new StopBuildCommand({ id: started.id }));
    expect(again.build?.buildStatus).toBe("STOPPED");
  });

  it("leaves no background process behind when it simply ends", async () => {
    await open();
    const build = await ended(await room.startBuild(spec({ build: ["sleep 300 & (setsid sleep 301 &) ; exit 0"] })));
    expect(build.buildStatus).toBe("SUCCEEDED");
    expect(processesOf(build)).toEqual([]);
  });

  it("can be stopped while it waits, and waits no longer than allowed", async () => {
    await open({ maxConcurrentBuilds: 1, minuteMs: 100 });
    const first = await room.startBuild(spec({ build: ["sleep 300"] }));
    const second = await room.startBuild(spec({ build: ["true"] }));
    const third = await room.startBuild(spec({ build: ["true"] }), { queuedTimeoutInMinutesOverride: 5 });
    await room.client.send(new StopBuildCommand({ id: second.id }));
    expect((await ended(second)).phases?.[1]).toMatchObject({ phaseType: "QUEUED", phaseStatus: "STOPPED" });
    expect(await ended(third)).toMatchObject({ buildStatus: "TIMED_OUT" });
    await room.client.send(new StopBuildCommand({ id: first.id }));
    await ended(first);
  });
});

describe("starting builds", () => {
  beforeEach(() => open());

  it("starts one build per idempotency token, also after a restart and at the same moment", async () => {
    const request = { idempotencyToken: "dep_1" };
    const both = await Promise.all([room.startBuild(undefined, request), room.startBuild(undefined, request)]);
    expect(both[1].id).toBe(both[0].id);
    await ended(both[0]);
    await room.restart();
    expect((await room.startBuild(undefined, request)).id).toBe(both[0].id);
    expect(room.service().counters()).toMatchObject({ buildsStarted: 0, calls: { StartBuild: 1 } });
    await expect(room.startBuild(spec({ build: ["true"] }), request)).rejects.toMatchObject({ name: "InvalidInputException" });
    const other = await room.startBuild(undefined, { idempotencyToken: "dep_2" });
    expect(other).toMatchObject({ buildNumber: 2 });
    await ended(other);
  });

  it("lets builds above the account's limit wait, and refuses those above the project's", async () => {
    await room.client.send(new UpdateProjectCommand({ name: "web", concurrentBuildLimit: 3 }));
    const go = join(room.dir, "go");
    const wait = spec({ build: [`until [ -e '${go}' ]; do sleep 0.05; done`] });
    const started = [await room.startBuild(wait), await room.startBuild(wait), await room.startBuild(wait)];
    await until(async () => (await get(started[1]?.id)).currentPhase === "BUILD");
    expect((await get(started[2]?.id)).currentPhase).toBe("QUEUED");
    await expect(room.startBuild(wait)).rejects.toMatchObject({ name: "AccountLimitExceededException" });
    await writeFile(go, "");
    for (const one of started) expect(await ended(one)).toMatchObject({ buildStatus: "SUCCEEDED" });
  });

  it("lists a project's builds newest first, and tells which ids it does not know", async () => {
    const ids: (string | undefined)[] = [];
    for (let n = 0; n < 3; n++) ids.push((await ended(await room.startBuild(undefined))).id);
    expect((await room.client.send(new ListBuildsForProjectCommand({ projectName: "web" }))).ids).toEqual(ids.reverse());
    const answer = await room.client.send(new BatchGetBuildsCommand({ ids: [ids[0] as string, "web:none"] }));
    expect([answer.builds?.length, answer.buildsNotFound]).toEqual([1, ["web:none"]]);
    await expect(room.client.send(new BatchGetBuildsCommand({ ids: Array(101).fill("web:none") }))).rejects.toMatchObject({
      name: "InvalidInputException",
    });
  });

  it("keeps projects: created once, changed, listed, deleted", async () => {
    await expect(room.client.send(new CreateProjectCommand(web))).rejects.toMatchObject({ name: "ResourceAlreadyExistsException" });
    await room.client.send(new UpdateProjectCommand({ name: "web", timeoutInMinutes: 7 }));
    await room.restart();
    const { projects } = await room.client.send(new BatchGetProjectsCommand({ names: ["web", "none"] }));
    expect(projects?.[0]).toMatchObject({ name: "web", timeoutInMinutes: 7, environment: { image: web.environment.image } });
    expect((await room.client.send(new ListProjectsCommand({}))).projects).toEqual(["web"]);
    await room.client.send(new DeleteProjectCommand({ name: "web" }));
    await expect(room.startBuild(undefined)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("a restart", () => {
  it("runs what was in progress again from its start, under the same id", async () => {
    await open();
    const marks = join(room.dir, "marks");
    await mkdir(marks);
    const started = await room.startBuild(spec({ build: [`n=$(ls '${marks}' | wc -l); touch '${marks}'/$n; [ $n -gt 0 ] || sleep 300`] }));
    await until(() => existsSync(join(marks, "0")));
    await room.restart();
    expect(processesOf(started).length).toBeLessThan(20);
    const build = await ended(started);
    expect(build).toMatchObject({ id: started.id, buildStatus: "SUCCEEDED", buildNumber: 1 });
    expect(await readdir(marks)).toEqual(["0", "1"]);
    expect(build.phases?.filter(({ phaseType }) => phaseType === "BUILD").length).toBe(1);
  });

  it("after a kill -9 finds no orphans, and carries out the stop that was asked for", async () => {
    await open();
    await room.service().close();
    const script = `
      const { startCodeBuild } = await import(${JSON.stringify(new URL("../../local/codebuild/codebuild.ts", import.meta.url).href)});
      const service = await startCodeBuild({ dataDir: ${JSON.stringify(room.dir)}, endpointUrl: () => "http://127.0.0.1:1", emit: async () => {}, appendLog: () => {}, secret: async () => "" });
      const headers = { "x-amz-target": "CodeBuild_20161006.StartBuild" };
      const body = Buffer.from(JSON.stringify({ projectName: "web", buildspecOverride: ${JSON.stringify(spec({ build: ["(trap '' TERM; sleep 300; sleep 300) & sleep 301"] }))} }));
      const answer = await service.handle({ method: "POST", path: "/", query: new URLSearchParams(), headers, body });
      console.log(JSON.parse(answer.body).build.id);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    const id = await until(() => printed.trim());
    const started: Build = { id };
    await until(() => processesOf(started).length >= 4);
    child.kill("SIGKILL");
    await until(() => processesOf(started).length === 0);

    const file = join(room.dir, "codebuild/builds", `${encodeURIComponent(id)}.json`);
    await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, "utf8")), stopRequested: true }));
    await room.restart();
    expect(await ended(started)).toMatchObject({ id, buildStatus: "STOPPED" });
  });
});
