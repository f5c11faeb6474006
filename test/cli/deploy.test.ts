import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli, startCli } from "./support/run-cli.ts";
import {
  at,
  deploymentId,
  deploymentView,
  environmentView,
  release,
  type Scripted,
  type StubEngine,
  stubEngine,
  TOKEN,
} from "./support/stub-engine.ts";

const artifact = { bucket: "artifacts", key: "a.zip" };
const QUEUED: Scripted = [
  "DeploymentQueued",
  {
    sequence: 3,
    request: { deploymentId: deploymentId(3), site: "web", environment: "production", source: null, trigger: "cli", requestedBy: "alice" },
  },
  0,
];
const STARTED: Scripted = ["BuildStarted", { buildId: "shiplog-web:1" }, 1];
const BUILT: Scripted = ["BuildSucceeded", { buildId: "shiplog-web:1", releaseId: deploymentId(3), artifact }, 46];
const TO_LIVE: Scripted[] = [
  QUEUED,
  STARTED,
  BUILT,
  ["ReleaseStarted", { releaseId: deploymentId(3), warnings: ["middleware runs in the server"] }, 47],
  ["AssetsPublished", { uploaded: 480, unchanged: 2, bytes: 1_500_000, cacheEntries: 3, tags: 1, manifest: "m" }, 50],
  ["VersionsPublished", { functions: release(3).functions }, 52],
  ["ChecksPassed", { release: release(3), checks: [{ role: "server", function: "f", version: "3", status: 200, ms: 120 }] }, 53],
  ["FlipStarted", { sequence: 3 }, 54],
  ["DeploymentSucceeded", { sequence: 3 }, 75],
];

describe("shiplog deploy", () => {
  let engine: StubEngine;
  let app: string;
  const deploy = (...words: string[]) => runCli(["deploy", app, ...words], { env: engine.env });

  beforeEach(async () => {
    engine = await stubEngine();
    app = await mkdtemp(join(tmpdir(), "shiplog-cli-test-"));
    await writeFile(
      join(app, "package.json"),
      JSON.stringify({ dependencies: { next: "16" }, devDependencies: { "@opennextjs/aws": "3" } }),
    );
    await writeFile(join(app, "package-lock.json"), "{}");
    await writeFile(join(app, "next.config.mjs"), "");
  });
  afterEach(async () => {
    await engine.close();
    await rm(app, { recursive: true });
  });

  it("tells each phase on stderr and the result alone on stdout", async () => {
    engine.state.script.push(...TO_LIVE);
    engine.state.logLines = [
      "[Container] Entering phase INSTALL\n",
      "[Container] Phase complete: INSTALL State: SUCCEEDED\n",
      "[Container] Entering phase BUILD\n",
    ];
    const { code, out, err } = await deploy("--reason", "the header");

    expect(code).toBe(0);
    expect(out).toBe(
      [
        `id      ${deploymentId(3)}`,
        "status  success",
        "url     https://web.example.com",
        `live    ${deploymentId(2)} (#2) → ${deploymentId(3)} (#3)`,
        "",
      ].join("\n"),
    );
    for (const words of [
      "0.0s  queued      web/production #3",
      "2.0s  building    INSTALL",
      "4.0s  building    INSTALL done in 2.0s",
      "6.0s  building    BUILD",
      "46s  built       in 45s",
      "47s  warning     middleware runs in the server",
      "50s  files       480 files uploaded (1.5 MB), 2 there already, in 3.0s",
      "52s  versions    server 3",
      "53s  checks      server 200 in 120 ms",
      "54s  flip        #3",
      "1m 15s  live        in 1m 15s",
    ])
      expect(err).toContain(words);
    expect(out + err).not.toContain("\x1b");
    expect(out + err).not.toContain(TOKEN);
    expect(out + err).not.toContain("X-Amz-Signature");

    const [upload] = engine.state.uploads;
    expect(upload?.bytes).toBeGreaterThan(100);
    expect(upload?.headers["content-length"]).toBe(String(upload?.bytes));
    expect(upload?.headers["x-amz-checksum-sha256"]).toBe("sum");
    expect(upload?.headers.authorization).toBeUndefined();
    const asked = engine.state.asked.find(({ method, path }) => method === "POST" && path === "/v1/deployments");
    expect(asked).toMatchObject({ actor: "alice", body: { site: "web", environment: "production", reason: "the header" } });
    expect(asked?.key).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is told to be live whatever the build still has to say, and says where the rest of that is", async () => {
    engine.state.script.push(...TO_LIVE);
    engine.state.endlessLog = true;
    engine.state.logLines = Array.from({ length: 1_000 }, (_, n) => `line ${n} of the build\n`);
    const { code, out, err } = await deploy("--follow");
    expect(code).toBe(0);
    expect(out).toContain("status  success");
    expect(err).toContain("line 999 of the build");
    expect(err).toContain("live        in 1m 15s");
    expect(err).toContain(`The rest of the build's output:  shiplog logs ${deploymentId(3)}`);
  });

  it("prints one JSON document with --json, and does not upload what is there already", async () => {
    engine.state.script.push(...TO_LIVE);
    engine.state.upload = false;
    const { code, out, err } = await deploy("--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      deployment: { id: deploymentId(3), status: "success" },
      url: "https://web.example.com",
      liveBefore: { deploymentId: deploymentId(2), sequence: 2 },
      liveAfter: { deploymentId: deploymentId(3), sequence: 3 },
    });
    expect(engine.state.uploads).toEqual([]);
    expect(err).toContain("not uploaded again");
  });

  const failsWith = (reason: string, ...printed: string[]): void => {
    engine.state.script.push(
      QUEUED,
      STARTED,
      ["BuildFailed", { buildId: "b", status: "FAILED", phase: "BUILD", reason }, 9],
      ["DeploymentFailed", { step: "build", reason }, 9],
    );
    const at = "[Container] 2026/11/23 10:00:00.123456";
    engine.state.logLines = [
      `${at} Running command npm run build`,
      ...printed,
      `${at} Command did not exit successfully npm run build exit status 1`,
    ].map((line) => `${line}\n`);
  };

  it("shows a failed build's error once, marked, with what is around it and where the rest is", async () => {
    const reason = "app/page.tsx:4:9: TS2322: Type 'string' is not assignable to type 'number'.";
    const error = "app/page.tsx(4,9): error TS2322: Type 'string' is not assignable to type 'number'.";
    failsWith(reason, "  Running TypeScript ...", "", `\x1b[31m${error}\x1b[0m`, "Failed to type check.");
    const { code, out, err } = await deploy();
    expect(code).toBe(5);
    expect(out).toContain(`reason  ${reason}\n`);
    expect(err).toContain(
      `\nThe build's error, at line 4 of its log:\n> ${error}\n  Failed to type check.\nWhole log: shiplog logs ${deploymentId(3)}\n`,
    );
    expect(err.split("TS2322")).toHaveLength(2);
    expect(err).toMatch(/failed +build, in BUILD\n/);
  });

  it("offers no retry of a build whose source is wrong", async () => {
    failsWith("TS2322", "app/page.tsx(4,9): error TS2322: Type 'string' is not assignable to type 'number'.");
    expect((await deploy()).err).not.toContain("shiplog retry");
  });

  it("offers a retry of a build that could not reach the registry", async () => {
    failsWith(
      "no network",
      "npm error request to https://registry.npmjs.org/next failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org",
    );
    expect((await deploy()).err).toContain(`shiplog retry ${deploymentId(3)}`);
  });

  it("shows the last twenty lines of a failed build whose error is not known, and ends with 5", async () => {
    engine.state.script.push(
      QUEUED,
      STARTED,
      ["BuildFailed", { buildId: "b", status: "FAILED", phase: "BUILD", reason: "exit 1" }, 9],
      ["DeploymentFailed", { step: "build", reason: "npm run build: exit 1" }, 9],
    );
    engine.state.logLines = Array.from({ length: 30 }, (_, line) => `line ${line + 1} \x1b[31mred\x1b[0m\n`);
    const { code, out, err } = await deploy();
    expect(code).toBe(5);
    expect(out).toContain("status  failed\nstep    build\nreason  npm run build: exit 1\n");
    expect(out).toContain(`live    ${deploymentId(2)} (#2), unchanged`);
    expect(err).toContain("The last 20 lines of the build:\n  line 11 red\n");
    expect(err).toContain("  line 30 red\n");
    expect(err).not.toContain("line 10 ");
    expect(err).toContain(`shiplog retry ${deploymentId(3)}`);
  });

  it("ends with 7 when it is held, and says by whom and how to let it go", async () => {
    engine.state.environments = [environmentView({ pin: { reason: "bad release", actor: "bob (token default)", at: at(0) } })];
    engine.state.script.push(...TO_LIVE.slice(0, 7), ["DeploymentHeld", { by: "pin", reason: "bad release" }, 54]);
    const { code, out, err } = await deploy();
    expect(code).toBe(7);
    expect(out).toContain("status  held");
    expect(err).toContain("web/production is pinned by bob (token default): bad release\nTo let it go live:  shiplog unpin web/production");
  });

  it("ends with 3 when a newer deployment takes its place", async () => {
    engine.state.script.push(QUEUED, ["DeploymentSuperseded", { by: { sequence: 4 } }, 2]);
    const { code, out } = await deploy();
    expect(code).toBe(3);
    expect(out).toContain("status  superseded");
  });

  it("ends with 3 when it is cancelled by somebody", async () => {
    engine.state.script.push(QUEUED, ["CancelRequested", {}, 1], ["DeploymentCancelled", { reason: "stopped by bob" }, 2]);
    const { code, out } = await deploy();
    expect(code).toBe(3);
    expect(out).toContain("reason  stopped by bob");
  });

  it("ends with 124 at --timeout and says how to look again", async () => {
    engine.state.script.push(QUEUED, STARTED);
    const { code, out, err } = await deploy("--timeout", "1s");
    expect(code).toBe(124);
    expect(out).toContain("status  building");
    expect(err).toContain(`The deployment goes on.\nWatch again:  shiplog events ${deploymentId(3)} --follow`);
  });

  it("detaches with 130 at Ctrl-C and says how to look again", async () => {
    engine.state.script.push(QUEUED, STARTED);
    const cli = startCli(["deploy", app, "--json"], { env: engine.env });
    await cli.says("shiplog-web:1");
    cli.interrupt();
    const { code, out, err } = await cli.finished;
    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ deployment: { id: deploymentId(3), status: "building" } });
    expect(err).toContain(`Stopped watching. The deployment goes on.\nWatch again:  shiplog events ${deploymentId(3)} --follow`);
  });

  it("does not wait with --no-wait", async () => {
    const { code, out } = await deploy("--no-wait");
    expect(code).toBe(0);
    expect(out).toBe(`${deploymentId(3)}\n`);
  });

  it("sends the same command again, with the same key, when the connection breaks", async () => {
    engine.state.script.push(...TO_LIVE);
    engine.state.cut.set("POST /v1/deployments", 1);
    const { code } = await deploy();
    expect(code).toBe(0);
    const keys = engine.state.asked.filter(({ method, path }) => method === "POST" && path === "/v1/deployments").map(({ key }) => key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("says once that the engine does not answer, however long it is away", async () => {
    engine.state.script.push(...TO_LIVE);
    engine.state.cut.set(`GET /v1/deployments/${deploymentId(3)}/events`, 12);
    const { code, err } = await deploy();
    expect([code, err.match(/does not answer/g)?.length]).toEqual([0, 1]);
    expect(engine.state.cut.get(`GET /v1/deployments/${deploymentId(3)}/events`)).toBe(0);
  });

  it("ends with 6 when the rules refuse it", async () => {
    engine.state.instead.set("POST /v1/deployments", {
      status: 409,
      body: { error: { code: "environment.locked", message: "web/production is locked by bob: migration." } },
    });
    const { code, out, err } = await deploy();
    expect(code).toBe(6);
    expect(out).toBe("");
    expect(err).toContain("error: web/production is locked by bob: migration.");
  });

  it("is of no folder whose name is empty: not of the one that the command runs in", async () => {
    const { code, err } = await runCli(["deploy", ""], { env: engine.env, cwd: app });
    expect([code, err]).toEqual([2, "error: The folder's name is empty.\nIs a variable in the command not set?\n"]);
  });

  it("refuses a folder that is no app, before anything is sent", async () => {
    await writeFile(join(app, "package.json"), JSON.stringify({ dependencies: { next: "16" } }));
    const without = await deploy();
    expect(without.code).toBe(2);
    expect(without.err).toContain('does not depend on "@opennextjs/aws".\nRun `npm install --save-dev @opennextjs/aws` there.');

    await rm(join(app, "package.json"));
    expect(await deploy()).toMatchObject({ code: 2, out: "", err: expect.stringContaining("it has no package.json") });
    expect(await runCli(["deploy", join(app, "nowhere")], { env: engine.env })).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no folder"),
    });
    expect(await runCli(["deploy", "/etc/passwd"], { env: engine.env })).toMatchObject({
      code: 2,
      err: expect.stringContaining("/etc/passwd is not a folder."),
    });
    expect(engine.state.asked.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("tells everything that keeps the app from being deployed at once, as check does, before anything is sent", async () => {
    await rm(join(app, "next.config.mjs"));
    await writeFile(join(app, "open-next.config.ts"), "export default { default: {}, functions: { api: {} } };");
    engine.state.environments = [Object.assign(environmentView(), { functions: ["shiplog-web-production-server"] })];
    const refused = await deploy("--json");
    expect(refused.code).toBe(2);
    const words = ["has no next.config file", "has the split function api, and web/production was made for the server alone."];
    expect(refused.err).toContain(`error: 2 things keep ${app} from being deployed:\n✗ ${app} ${words[0]}`);
    for (const text of words) expect(refused.err).toContain(text);
    const { error } = JSON.parse(refused.out);
    expect(error).toMatchObject({ code: "app.unfit", next: "Nothing was deployed." });
    const checked = JSON.parse((await runCli(["check", app, "--json"], { env: engine.env })).out);
    expect(checked.findings.filter(({ level }: { level: string }) => level === "error")).toEqual(error.findings);
    engine.state.environments = [];
    expect((await deploy()).err).toContain(words[0]);
    expect(engine.state.asked.filter(({ method }) => method !== "GET")).toEqual([]);
    expect(engine.state.uploads).toEqual([]);
  });

  it("warns of what may surprise, and goes on", async () => {
    await writeFile(
      join(app, "package.json"),
      JSON.stringify({ dependencies: { next: "16" }, devDependencies: { "@opennextjs/aws": "3.0.0" } }),
    );
    const { code, err } = await deploy("--no-wait");
    expect(code).toBe(0);
    expect(err).toMatch(/^! @opennextjs\/aws is 3\.0\.0, and Shiplog is tried with 4\.x/m);
  });

  it("asks for the site where there are several, and takes production where it may choose", async () => {
    engine.state.environments = [environmentView(), environmentView({ environment: "staging" }), environmentView({ site: "docs" })];
    const several = await deploy("--no-wait");
    expect(several).toMatchObject({ code: 2, out: "" });
    expect(several.err).toContain("say which with --site.\nKnown: web/production, web/staging, docs/production");
    expect((await deploy("--no-wait", "--site", "nope")).err).toContain('There is no site "nope".');
    expect((await deploy("--no-wait", "--site", "web", "--env", "nope")).err).toContain(
      'Site "web" has no environment "nope".\nKnown: web/production, web/staging',
    );
    expect((await deploy("--no-wait", "--site", "web")).code).toBe(0);
    expect(engine.state.asked.at(-1)?.body).toMatchObject({ site: "web", environment: "production" });
  });
});

describe("shiplog deploy of a folder", () => {
  let engine: StubEngine;
  let folder: string;
  let web: string;
  beforeEach(async () => {
    engine = await stubEngine();
    engine.state.environments = [environmentView(), environmentView({ site: "docs" })];
    engine.state.script.push(...TO_LIVE);
    folder = await mkdtemp(join(tmpdir(), "shiplog-cli-test-"));
    web = join(folder, "web");
    for (const app of [web, join(folder, "docs")]) {
      await mkdir(app);
      await writeFile(
        join(app, "package.json"),
        `\uFEFF${JSON.stringify({ dependencies: { next: "16" }, devDependencies: { "@opennextjs/aws": "3" } })}`,
      );
      await writeFile(join(app, "package-lock.json"), "{}");
      await writeFile(join(app, "next.config.mjs"), "");
    }
    const sites = ["web", "docs"].map((name) => ({ name, source: name, environments: [{ name: "production" }] }));
    await writeFile(join(folder, "shiplog.sites.json"), `\uFEFF${JSON.stringify({ sites })}`);
  });
  afterEach(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });
  const deploy = (...words: string[]) => runCli(["deploy", ...words, "--no-wait"], { env: engine.env });
  const deployedTo = () => engine.state.asked.filter(({ method, path }) => method === "POST" && path === "/v1/deployments").at(-1)?.body;

  it("goes to the site whose source it is, by whatever path, without being told", async () => {
    await symlink(join(folder, "docs"), join(folder, "link"));
    expect(await deploy(join(folder, "link"))).toMatchObject({ code: 0 });
    expect(deployedTo()).toMatchObject({ site: "docs" });
  });

  it("is asked about where it is another site's, before anything is sent", async () => {
    const asked = await deploy(web, "--site", "docs");
    expect(asked).toMatchObject({ code: 2, out: "" });
    expect(asked.err).toContain(
      `${web} is not the source of the site docs (${join(folder, "docs")}), but of web. Deploy it to docs/production all the same?`,
    );
    expect(asked.err).toContain("Say it with --yes.");
    expect(engine.state.uploads).toEqual([]);
    expect(deployedTo()).toBeUndefined();
    expect(await deploy(web, "--site", "docs", "--yes")).toMatchObject({ code: 0 });
    expect(deployedTo()).toMatchObject({ site: "docs" });
  });

  it("is asked about where it is no site's, as a local engine tells them", async () => {
    engine.state.environments = [environmentView()];
    const other = await mkdtemp(join(tmpdir(), "shiplog-cli-test-"));
    await cp(web, other, { recursive: true });
    const data = join(folder, "data");
    await mkdir(data);
    const { SHIPLOG_URL: url, SHIPLOG_TOKEN: token } = engine.env as Record<string, string>;
    await writeFile(join(data, "connection.json"), JSON.stringify({ url, token, sites: [{ site: "web", folder: web }] }));
    const asked = await runCli(["--data", data, "deploy", other, "--no-wait"], {});
    expect(asked.err).toContain(`${other} is not the source of the site web (${web}). Deploy it to web/production all the same?`);
    expect(asked.code).toBe(2);
    expect(await runCli(["--data", data, "deploy", web, "--no-wait"], {})).toMatchObject({ code: 0 });
    await rm(other, { recursive: true });
  });

  it("is refused where it holds what no build can have, by name, with 2", async () => {
    const socket = createServer().listen(join(web, "app.sock"));
    await once(socket, "listening");
    const refused = await deploy(web);
    socket.close();
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain(
      `${web} cannot be packed: "app.sock": it is a socket: only files, folders and symbolic links can be packed.\n` +
        "Nothing was deployed. A line in .shiplogignore leaves a file out of the source.",
    );
    await symlink("/etc/hosts", join(web, "hosts"));
    expect(await deploy(web)).toMatchObject({ code: 2, err: expect.stringContaining("points out of the folder") });
    await writeFile(join(web, ".shiplogignore"), "hosts\n");
    expect(await deploy(web)).toMatchObject({ code: 0 });
    await writeFile(join(web, ".shiplogignore"), "*\n");
    expect(await deploy(web)).toMatchObject({ code: 2, err: expect.stringContaining("everything in it is ignored.") });
  });

  it.each([
    ["null", "expected object"],
    ['{"dependencies":["next"]}', "dependencies"],
    ["{", "JSON"],
  ])("is refused with 2 where its package.json is %s", async (text, why) => {
    await writeFile(join(web, "package.json"), text);
    const { code, err } = await deploy(web);
    expect(code).toBe(2);
    expect(err).toContain(`${join(web, "package.json")} cannot be read: `);
    expect(err).toContain(why);
  });
});

it("shiplog deploy says what a build waits for, once", async () => {
  const engine = await stubEngine();
  engine.state.deployments.set(deploymentId(3), deploymentView(3, { status: "failed" }));
  const reason = "waiting for CodeBuild: Cannot have more than 1 builds in queue for the account";
  engine.state.script.push(QUEUED, ["BuildDeferred", { reason }, 1], ["BuildStarted", { buildId: "shiplog-web:1" }, 65], BUILT, [
    "DeploymentSucceeded",
    { sequence: 3 },
    75,
  ]);
  const { code, err } = await runCli(["retry", deploymentId(3)], { env: engine.env });
  await engine.close();
  expect(code).toBe(0);
  expect(err).toContain(`1.0s  queued      ${reason}`);
  expect(err.split(reason)).toHaveLength(2);
});

describe("shiplog retry", () => {
  it("waits like a deployment", async () => {
    const engine = await stubEngine();
    engine.state.deployments.set(deploymentId(3), deploymentView(3, { status: "failed" }));
    engine.state.script.push(
      [
        "DeploymentQueued",
        {
          sequence: 4,
          request: {
            deploymentId: deploymentId(4),
            site: "web",
            environment: "production",
            source: null,
            trigger: "retry",
            requestedBy: "alice",
          },
        },
        0,
      ],
      ["BuildSucceeded", { buildId: "b", releaseId: deploymentId(3), artifact, reusedFrom: deploymentId(3) }, 0],
      ["DeploymentSucceeded", { sequence: 4 }, 9],
    );
    const { code, out, err } = await runCli(["retry", deploymentId(3)], { env: engine.env });
    await engine.close();
    expect(code).toBe(0);
    expect(out).toContain(`${deploymentId(2)} (#2) → ${deploymentId(4)} (#4)`);
    expect(err).toContain(`takes over the build of ${deploymentId(3)}`);
  });
});
