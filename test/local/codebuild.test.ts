import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unzipInto } from "../../engine/zip/archive.ts";
import { contextOf, openRoom, phases, type Room, spec, until } from "./codebuild-room.ts";

let room: Room;
const open = async (options: Parameters<typeof openRoom>[0] = {}) => {
  room = await openRoom(options);
};
afterEach(() => room.close());

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
    const asked = Date.now();
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

    const build = await room.ended(started);
    expect(build.buildStatus, room.text()).toBe("SUCCEEDED");
    expect(build.exportedEnvironmentVariables).toEqual([
      { name: "RELEASE", value: "rel-1" },
      { name: "SEEN", value: "spec project request endpoint" },
    ]);
    expect(build.endTime?.getTime()).toBeGreaterThanOrEqual(asked);
    expect(Object.keys(phases(build))).toEqual(
      "SUBMITTED QUEUED PROVISIONING DOWNLOAD_SOURCE INSTALL PRE_BUILD BUILD POST_BUILD UPLOAD_ARTIFACTS FINALIZING COMPLETED".split(" "),
    );

    expect(build.artifacts?.location).toBe("arn:aws:s3:::artifacts/web/one.zip");
    const zip = room.objects.get("/artifacts/web/one.zip") as Buffer;
    await writeFile(join(room.dir, "one.zip"), zip);
    await unzipInto(join(room.dir, "one.zip"), join(room.dir, "unpacked"));
    expect(build.artifacts?.sha256sum).toBe(createHash("sha256").update(zip).digest("hex"));
    expect(build.artifacts?.md5sum).toBe(createHash("md5").update(zip).digest("hex"));
    expect((await readdir(join(room.dir, "unpacked"), { recursive: true })).sort()).toEqual(
      [".hidden", ".hidden/.b", ".hidden/link", "[slug]", "[slug]/c.js", "a.txt"].sort(),
    );
    expect(await readFile(join(room.dir, "unpacked/.hidden/link"), "utf8")).toBe("hello");
  });

  it("announces its start, every phase and its end, as CodeBuild's events have them", async () => {
    const build = await room.ended(
      await room.startBuild(spec({ build: ["true"] }), { environmentVariablesOverride: [{ name: "PLAIN", value: "seen" }] }),
    );
    await until(() => room.states(build).length === 2);
    expect(room.states(build)).toEqual(["IN_PROGRESS", "SUCCEEDED"]);
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

  it.each(["sh", "bash"])("keeps variables, functions and the folder from one command to the next in %s", async (shell) => {
    const build = await room.ended(
      await room.startBuild(
        spec({
          env: { shell, "exported-variables": ["RESULT", "AFTER_EXIT"] },
          phases: {
            install: { commands: ["export A='a \"quoted\" $value'", "local_b=b", "sleep 0.1 & wait", "set -e", "mkdir deep", "cd deep"] },
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
    const build = await room
      .ended(
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
      )
      .finally(() => {
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

  it("keeps cached folders for later builds whose cache has the same place, and for no others", async () => {
    const cached = spec({
      build: ["ls .next/cache || true", "mkdir -p .next/cache && echo kept > .next/cache/file"],
      cache: { paths: [".next/cache/**/*", "../../x/**", "/etc/**"] },
    });
    expect((await room.ended(await room.startBuild(cached))).buildStatus).toBe("SUCCEEDED");
    const second = await room.ended(await room.startBuild(cached));
    expect(second.buildStatus).toBe("SUCCEEDED");
    expect(room.text()).toContain("Restored from the cache: .next/cache");
    const saw = ({ id }: { id?: string | undefined }) => room.log.some(({ stream, message }) => id?.endsWith(stream) && message === "file");
    expect(saw(second)).toBe(true);
    for (const cacheOverride of [
      { type: "S3", location: "artifacts/caches/web/preview" },
      { type: "S3", location: "artifacts" },
      { type: "NO_CACHE" },
    ] as const) {
      const other = await room.ended(await room.startBuild(cached, { cacheOverride }));
      expect([other.buildStatus, saw(other)]).toEqual(["SUCCEEDED", false]);
    }
    const third = await room.ended(await room.startBuild(cached));
    expect(saw(third)).toBe(true);
    await expect(room.startBuild(cached, { cacheOverride: { type: "S3" } })).rejects.toThrow(/a cache of type S3 needs a location/);
  });

  it("logs commands and their output in order, to the build's own stream", async () => {
    const build = await room.ended(await room.startBuild(spec({ build: ["echo one; echo two >&2; printf three", "echo four"] })));
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
    const build = await room.ended(
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
    await until(() => room.states(build).includes("FAILED"));
  });

  it("does not build when install fails, unless told to go on", async () => {
    const sections = (more: object) =>
      spec({ phases: { install: { commands: ["exit 3"], ...more }, build: { commands: ["echo built"] } } });
    const aborted = await room.ended(await room.startBuild(sections({})));
    expect(aborted.buildStatus).toBe("FAILED");
    expect(phases(aborted)).not.toHaveProperty("BUILD");
    const continued = await room.ended(await room.startBuild(sections({ "on-failure": "CONTINUE" })));
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
    const build = await room.ended(await room.startBuild(spec({ build: ["touch file"], artifacts }), { artifactsOverride }));
    expect(build.buildStatus).toBe("FAILED");
    expect(contextOf(build, "UPLOAD_ARTIFACTS")).toEqual({ statusCode: "CLIENT_ERROR", message });
    expect(room.objects.size).toBe(0);
  });

  it.each([
    ["is not YAML", "version: 0.2\nphases: [", "YAML"],
    ["has another version", "version: 0.1\nphases: {}", "version: must be 0.2"],
    ["uses what is not supported", spec({ build: ["true"], env: { "parameter-store": { A: "b" } } }), "use secrets-manager"],
  ])("fails DOWNLOAD_SOURCE when the buildspec %s", async (_what, buildspec, message) => {
    const build = await room.ended(await room.startBuild(buildspec));
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
    const build = await room.ended(await room.startBuild(spec({ build: ["true"] }), source));
    expect(build.buildStatus).toBe("FAILED");
    expect(phases(build)).toMatchObject({ DOWNLOAD_SOURCE: "FAILED" });
    expect(contextOf(build, "DOWNLOAD_SOURCE")?.message).toContain("the source archive is refused (unsafe-name)");
    const missing = await room.ended(await room.startBuild(undefined, { ...source, sourceLocationOverride: "sources/none.zip" }));
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
    expect((await room.ended(await room.startBuild(spec({ build: ["echo hello"] })))).buildStatus).toBe("SUCCEEDED");
    console.error = complain;
  });
});
