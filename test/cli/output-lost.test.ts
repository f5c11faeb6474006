import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { runCli, startCli } from "./support/run-cli.ts";
import { deploymentId, deploymentView, type StubEngine, stubEngine } from "./support/stub-engine.ts";

const artifact = { bucket: "artifacts", key: "a.zip" };
const BUILT = ["BuildSucceeded", { buildId: "shiplog-web:1", releaseId: deploymentId(3), artifact }] as const;
const LIVE = ["DeploymentSucceeded", { sequence: 3 }] as const;
const FAILED = ["DeploymentFailed", { step: "build", reason: "it does not compile" }] as const;

let engine: StubEngine;
let app: string;
beforeEach(async () => {
  engine = await stubEngine();
  for (const number of [1, 2]) engine.state.deployments.set(deploymentId(number), deploymentView(number, { status: "success" }));
  app = await mkdtemp(join(tmpdir(), "shiplog-cli-test-"));
  await writeFile(join(app, "package.json"), JSON.stringify({ dependencies: { next: "16", "@opennextjs/aws": "3" } }));
  await writeFile(join(app, "package-lock.json"), "{}");
  await writeFile(join(app, "next.config.mjs"), "");
});
afterEach(async () => {
  await engine.close();
  await rm(app, { recursive: true });
});
const requested = () => engine.state.asked.some(({ method, path }) => method === "POST" && path === "/v1/deployments");
/** `command 2>&1 | head -0` */
const unread = (...words: string[]) => {
  const started = startCli(words, { env: engine.env });
  started.hangUp("stdout", "stderr");
  return started;
};

describe("where nobody reads the output any more", () => {
  it("a deployment is asked for all the same, and followed to its end", async () => {
    engine.state.script.push(BUILT, LIVE);
    expect((await unread("deploy", app).finished).code).toBe(0);
    expect(requested()).toBe(true);
  });

  it("one that fails still ends with 5", async () => {
    engine.state.script.push(FAILED);
    expect((await unread("deploy", app, "--json").finished).code).toBe(5);
  });

  it("a rollback is carried out", async () => {
    engine.state.rollbackScript.push(["ReleaseWentLive", { sequence: 3 }]);
    expect((await unread("rollback", "--yes").finished).code).toBe(0);
    expect(engine.state.rollbackScript).toEqual([]);
  });

  it.each([[["events", "--follow"]], [["events", "--follow", "--json"]]])("%j ends with 0 at the next line that it has", async (words) => {
    engine.state.log.push(BUILT);
    expect((await unread(...words).finished).code).toBe(0);
  });

  it("what only prints ends with 0", async () => {
    expect((await unread("status").finished).code).toBe(0);
    expect((await unread("frobnicate").finished).code).toBe(2);
  });
});

describe.runIf(existsSync("/dev/full"))("where the output goes to a full disk", () => {
  it.each([[["status", "--json"]], [["audit", "--csv"]], [["--help"]]])("%j says so in one sentence and ends with 1", async (words) => {
    engine.state.instead.set("GET /v1/audit", { status: 200, body: { rows: [], next: null } });
    const { code, err } = await runCli(words, { env: engine.env, full: ["stdout"] });
    expect(code).toBe(1);
    expect(err).toBe("error: The output could not be written: no space is left on the disk.\n");
  });

  it("a deployment goes on, and its own end decides where it is not well", async () => {
    engine.state.script.push(BUILT, LIVE);
    expect((await runCli(["deploy", app], { env: engine.env, full: ["stdout", "stderr"] })).code).toBe(1);
    expect(requested()).toBe(true);
    engine.state.script.push(FAILED);
    expect((await runCli(["retry", deploymentId(2)], { env: engine.env, full: ["stdout", "stderr"] })).code).toBe(5);
  });

  it("lost progress is no error", async () => {
    engine.state.script.push(BUILT, LIVE);
    const { code, out } = await runCli(["deploy", app], { env: engine.env, full: ["stderr"] });
    expect(code).toBe(0);
    expect(out).toContain("success");
  });
});

describe("where it is told to end", () => {
  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("by %s while it watches, it says that the deployment goes on and ends with %i", async (signal, expected) => {
    engine.state.script.push(BUILT);
    const started = startCli(["deploy", app], { env: engine.env });
    await started.says("built");
    started.signal(signal);
    const { code, err } = await started.finished;
    expect(err).toContain("Stopped watching. The deployment goes on.");
    expect(code).toBe(expected);
  });

  it("by a Ctrl-C that npm hands on a second time, it ends in order all the same", async () => {
    engine.state.script.push(BUILT);
    const started = startCli(["deploy", app], { env: engine.env });
    await started.says("built");
    started.signal("SIGINT");
    started.signal("SIGTERM");
    started.signal("SIGINT");
    const { code, err } = await started.finished;
    expect(err).toContain("Stopped watching. The deployment goes on.");
    expect([130, 143]).toContain(code);
  });

  it("by Ctrl-C while its request is on its way, it says that this may have been carried out", async () => {
    engine.state.hang.add("POST /v1/deployments");
    const started = startCli(["deploy", app, "--json"], { env: engine.env });
    await until("the deployment is asked for", async () => requested() || undefined);
    started.interrupt();
    const { code, out } = await started.finished;
    expect(code).toBe(130);
    expect(JSON.parse(out).error).toMatchObject({
      code: "interrupted",
      message: "Interrupted while the request was on its way: the engine may have carried it out.",
    });
  });

  it("by npx, whose shell alone gets the signal, it ends in order", async () => {
    engine.state.script.push(BUILT);
    const shiplog = join(import.meta.dirname, "../../cli/shiplog.ts");
    const shell = spawn("sh", ["-c", '"$0" "$1" deploy "$2"; exit $?', process.execPath, shiplog, app], {
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", npm_command: "exec", ...engine.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let err = "";
    const closed = once(shell.stderr, "close");
    shell.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
      if (err.includes("built")) shell.kill("SIGTERM");
    });
    await closed;
    expect(err).toContain("Stopped watching. The deployment goes on.");
  });

  it("leaves no file of its own behind, also while it packs and uploads", async () => {
    engine.state.instead.set("POST /v1/sources", { status: 500, body: { error: { code: "fault", message: "away" } }, always: true });
    const temporary = await mkdtemp(join(tmpdir(), "shiplog-cli-temporary-"));
    const started = startCli(["deploy", app], { env: { ...engine.env, TMPDIR: temporary } });
    await until("the source is announced", async () => engine.state.asked.some(({ path }) => path === "/v1/sources") || undefined);
    started.signal("SIGTERM");
    expect((await started.finished).code).toBe(143);
    expect(await readdir(temporary)).toEqual([]);
    await rm(temporary, { recursive: true });
  });
});
