import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  BatchGetBuildsCommand,
  BatchGetProjectsCommand,
  type Build,
  CreateProjectCommand,
  ListBuildsForProjectCommand,
  StopBuildCommand,
  UpdateProjectCommand,
} from "@aws-sdk/client-codebuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { contextOf, openRoom, phases, processesOf, type Room, spec, until, web } from "./codebuild-room.ts";

let room: Room;
const open = async (options: Parameters<typeof openRoom>[0] = {}) => {
  room = await openRoom(options);
};
afterEach(() => room.close());

describe("secrets", () => {
  it("reach the build and appear nowhere else", async () => {
    await open();
    room.secrets.set("site/web", JSON.stringify({ key: "hunter2-secret", other: "x" }));
    room.secrets.set("arn:aws:secretsmanager:eu-west-1:000000000000:secret:pem-AbCdEf", "-----BEGIN\nline-of-key\n-----END");
    const build = await room.ended(
      await room.startBuild(
        spec({
          env: {
            "secrets-manager": { PEM: "arn:aws:secretsmanager:eu-west-1:000000000000:secret:pem-AbCdEf" },
            "exported-variables": ["LENGTH", "COPY"],
          },
          build: [
            // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell expands it
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
    await until(() => room.states(build).length === 2);
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
    const build = await room.ended(await room.startBuild(undefined, { environmentVariablesOverride: [variable] }));
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build, "DOWNLOAD_SOURCE")?.message).toContain("the variable KEY is not set: the secret site/none cannot be read");
  });
});

describe("a build that must end early", () => {
  const stubborn = spec({ build: ["(trap '' TERM; sleep 300; sleep 300) & setsid sleep 301 & echo ready; sleep 302"] });

  it("is timed out, and nothing of it is left", async () => {
    await open({ minuteMs: 200 });
    const started = await room.startBuild(stubborn, { timeoutInMinutesOverride: 5 });
    const build = await room.ended(started);
    expect(build.buildStatus).toBe("TIMED_OUT");
    expect(phases(build)).toMatchObject({ BUILD: "TIMED_OUT" });
    expect(processesOf(build)).toEqual([]);
    await until(() => room.states(build).includes("TIMED_OUT"));
  });

  it("is stopped, and nothing of it is left", async () => {
    await open();
    const started = await room.startBuild(stubborn);
    await until(() => room.text().includes("ready"));
    expect(processesOf(started).length).toBeGreaterThan(2);
    await room.client.send(new StopBuildCommand({ id: started.id }));
    const build = await room.ended(started);
    expect(build.buildStatus).toBe("STOPPED");
    expect(phases(build)).toMatchObject({ BUILD: "STOPPED" });
    expect(processesOf(build)).toEqual([]);
    await until(() => room.states(build).includes("STOPPED"));
    const again = await room.client.send(new StopBuildCommand({ id: started.id }));
    expect(again.build?.buildStatus).toBe("STOPPED");
  });

  it("leaves no background process behind when it simply ends", async () => {
    await open();
    const build = await room.ended(await room.startBuild(spec({ build: ["sleep 300 & (setsid sleep 301 &) ; exit 0"] })));
    expect(build.buildStatus).toBe("SUCCEEDED");
    expect(processesOf(build)).toEqual([]);
  });

  it("can be stopped while it waits, and waits no longer than allowed", async () => {
    await open({ maxConcurrentBuilds: 1, minuteMs: 100 });
    const first = await room.startBuild(spec({ build: ["sleep 300"] }));
    const second = await room.startBuild(spec({ build: ["true"] }));
    const third = await room.startBuild(spec({ build: ["true"] }), { queuedTimeoutInMinutesOverride: 5 });
    await room.client.send(new StopBuildCommand({ id: second.id }));
    expect((await room.ended(second)).phases?.[1]).toMatchObject({ phaseType: "QUEUED", phaseStatus: "STOPPED" });
    expect(await room.ended(third)).toMatchObject({ buildStatus: "TIMED_OUT" });
    await room.client.send(new StopBuildCommand({ id: first.id }));
    await room.ended(first);
  });
});

describe("starting builds", () => {
  beforeEach(() => open());

  it("starts one build per idempotency token, also after a restart and at the same moment", async () => {
    const request = { idempotencyToken: "dep_1" };
    const both = await Promise.all([room.startBuild(undefined, request), room.startBuild(undefined, request)]);
    expect(both[1].id).toBe(both[0].id);
    await room.ended(both[0]);
    await room.restart();
    expect((await room.startBuild(undefined, request)).id).toBe(both[0].id);
    expect(room.service().counters()).toEqual({ buildsStarted: 0 });
    await expect(room.startBuild(spec({ build: ["true"] }), request)).rejects.toMatchObject({ name: "InvalidInputException" });
    const other = await room.startBuild(undefined, { idempotencyToken: "dep_2" });
    expect(other).toMatchObject({ buildNumber: 2 });
    await room.ended(other);
  });

  it("lets builds above the account's limit wait, and refuses those above the project's", async () => {
    await room.client.send(new UpdateProjectCommand({ name: "web", concurrentBuildLimit: 3 }));
    const go = join(room.dir, "go");
    const wait = spec({ build: [`until [ -e '${go}' ]; do sleep 0.05; done`] });
    const started = [await room.startBuild(wait), await room.startBuild(wait), await room.startBuild(wait)];
    await until(async () => (await room.get(started[1]?.id)).currentPhase === "BUILD");
    expect((await room.get(started[2]?.id)).currentPhase).toBe("QUEUED");
    await expect(room.startBuild(wait)).rejects.toMatchObject({ name: "AccountLimitExceededException" });
    await writeFile(go, "");
    for (const one of started) expect(await room.ended(one)).toMatchObject({ buildStatus: "SUCCEEDED" });
  });

  it("lists a project's builds newest first, and tells which ids it does not know", async () => {
    const ids: (string | undefined)[] = [];
    for (let n = 0; n < 3; n++) ids.push((await room.ended(await room.startBuild(undefined))).id);
    expect((await room.client.send(new ListBuildsForProjectCommand({ projectName: "web" }))).ids).toEqual(ids.reverse());
    const answer = await room.client.send(new BatchGetBuildsCommand({ ids: [ids[0] as string, "web:none"] }));
    expect([answer.builds?.length, answer.buildsNotFound]).toEqual([1, ["web:none"]]);
    await expect(room.client.send(new BatchGetBuildsCommand({ ids: Array(101).fill("web:none") }))).rejects.toMatchObject({
      name: "InvalidInputException",
    });
  });

  it("keeps projects: created once, changed", async () => {
    await expect(room.client.send(new CreateProjectCommand(web))).rejects.toMatchObject({ name: "ResourceAlreadyExistsException" });
    await room.client.send(new UpdateProjectCommand({ name: "web", timeoutInMinutes: 7 }));
    await room.restart();
    const { projects, projectsNotFound } = await room.client.send(new BatchGetProjectsCommand({ names: ["web", "none"] }));
    expect(projects?.[0]).toMatchObject({ name: "web", timeoutInMinutes: 7, environment: { image: web.environment.image } });
    expect(projectsNotFound).toEqual(["none"]);
    await expect(room.startBuild(undefined, { projectName: "none" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
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
    const build = await room.ended(started);
    expect(build).toMatchObject({ id: started.id, buildStatus: "SUCCEEDED", buildNumber: 1 });
    expect(await readdir(marks)).toEqual(["0", "1"]);
    expect(build.phases?.filter(({ phaseType }) => phaseType === "BUILD").length).toBe(1);
  });

  it("after a kill -9 finds no orphans, and carries out the stop that was asked for", async () => {
    await open();
    await room.service().close();
    const script = `
      const { startCodeBuild } = await import(${JSON.stringify(new URL("../../local/codebuild/codebuild.ts", import.meta.url).href)});
      const service = await startCodeBuild({ dataDir: ${JSON.stringify(room.dir)}, s3: undefined, emit: async () => {}, appendLog: () => {}, secret: async () => "" });
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
    expect(await room.ended(started)).toMatchObject({ id, buildStatus: "STOPPED" });
  });
});
