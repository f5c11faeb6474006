import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "./support/run-cli.ts";
import { type StubEngine, stubEngine, TOKEN } from "./support/stub-engine.ts";

describe("finding the engine", () => {
  let engine: StubEngine;
  let folder: string;
  beforeEach(async () => {
    engine = await stubEngine();
    folder = await mkdtemp(join(tmpdir(), "shiplog-cli-test-"));
  });
  afterEach(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });
  const connect = async (data: string) => {
    await mkdir(data, { recursive: true });
    await writeFile(join(data, "connection.json"), JSON.stringify({ url: engine.url, token: TOKEN }), { mode: 0o600 });
  };

  it("reads .shiplog/connection.json of a folder above", async () => {
    await connect(join(folder, ".shiplog"));
    await mkdir(join(folder, "apps/web"), { recursive: true });
    expect(await runCli(["list"], { cwd: join(folder, "apps/web") })).toMatchObject({
      code: 0,
      out: "",
      err: expect.stringContaining("There is no deployment."),
    });
  });

  it("reads the folder of --data and of SHIPLOG_DATA", async () => {
    await connect(join(folder, "here"));
    expect((await runCli(["list", "--data", "here"], { cwd: folder })).code).toBe(0);
    expect((await runCli(["list"], { cwd: folder, env: { SHIPLOG_DATA: join(folder, "here") } })).code).toBe(0);
    expect((await runCli(["list", "--data", "nowhere"], { cwd: folder, env: engine.env })).code).toBe(2);
  });

  it("says what to do where no engine is known", async () => {
    const { code, out, err } = await runCli(["list"], { cwd: folder });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(
      "Start a local engine with `shiplog dev`, name the folder of one that runs (--data), or set SHIPLOG_URL and SHIPLOG_TOKEN.",
    );
    expect((await runCli(["list"], { cwd: folder, env: { SHIPLOG_URL: engine.url } })).err).toContain("SHIPLOG_TOKEN is not.");
    expect((await runCli(["list"], { cwd: folder, env: { SHIPLOG_URL: "http://example.com", SHIPLOG_TOKEN: "t" } })).err).toContain(
      "unencrypted",
    );
  });

  it("ends with 1 and says what to do where the engine does not answer", async () => {
    const { code, err } = await runCli(["list"], { env: { SHIPLOG_URL: "http://127.0.0.1:9", SHIPLOG_TOKEN: TOKEN } });
    expect(code).toBe(1);
    expect(err).toContain("Shiplog at http://127.0.0.1:9 cannot be reached");
    expect(err).toContain("Check SHIPLOG_URL and the network.");
    expect(err).not.toContain(TOKEN);
  });

  it("ends with 4 where the token is not accepted", async () => {
    const { code, out, err } = await runCli(["list", "--json"], { env: { ...engine.env, SHIPLOG_TOKEN: "another-secret" } });
    expect(code).toBe(4);
    expect(JSON.parse(out)).toEqual({ error: { code: "token.unknown", message: "The token is not known.", next: "Check SHIPLOG_TOKEN." } });
    expect(err).toContain("Check SHIPLOG_TOKEN.");
    expect(err).not.toContain("another-secret");
  });

  it("asks again after a fault of the server, and ends with 1 where it stays", async () => {
    engine.state.instead.set("GET /v1/environments", { status: 500, body: { error: { code: "fault", message: "The table is away." } } });
    expect((await runCli(["list"], { env: engine.env })).code).toBe(0);
    engine.state.instead.set("GET /v1/environments", {
      status: 500,
      body: { error: { code: "fault", message: "The table is away." } },
      always: true,
    });
    expect(await runCli(["list"], { env: engine.env })).toMatchObject({
      code: 1,
      err: expect.stringContaining("Shiplog could not do this: The table is away."),
    });
  });

  it("shows the stack only with SHIPLOG_DEBUG=1", async () => {
    engine.state.instead.set("GET /v1/environments", { status: 200, body: { strange: true }, always: true });
    const quiet = await runCli(["list"], { env: engine.env });
    expect(quiet).toMatchObject({ code: 1, err: expect.stringContaining("answered GET /v1/environments with something unexpected") });
    expect(quiet.err).not.toContain("    at ");
    expect((await runCli(["list"], { env: { ...engine.env, SHIPLOG_DEBUG: "1" } })).err).toContain("    at ");
  });
});

describe("wrong words", () => {
  it.each([
    [["frobnicate"], "unknown command 'frobnicate'"],
    [["list", "--frobnicate"], "unknown option '--frobnicate'"],
    [["deploy"], "missing required argument 'dir'"],
    [["list", "--limit", "many"], '--limit "many" is not a number'],
    [["pin"], "required option '--reason <text>' not specified"],
    [["status", "web/production", "--site", "web"], "both say where"],
    [["events", "--since", "yesterday"], "neither a time nor a duration"],
    [["retry", "dep_01", "--timeout", "soon"], '--timeout "soon" is not a duration'],
    [["dev", "--port", "99999"], "is not a port"],
    [["dev", "--account", "old"], '--account "old" is no account of the local AWS'],
    [["rollback", ""], "An id or a name is empty"],
    [["status", "--at", "2026-02-30"], '--at "2026-02-30" names a day that is in no calendar'],
    [["events", "--since", "99999999999d"], "farther away than any calendar goes"],
  ])("%j ends with 2", async (words, message) => {
    const { code, out, err } = await runCli(words, { env: { SHIPLOG_URL: "http://127.0.0.1:9", SHIPLOG_TOKEN: TOKEN } });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain(message);
  });
});

describe("with --json", () => {
  it.each([
    [["frobnicate", "--json"], "unknown command 'frobnicate'"],
    [["list", "--frobnicate", "--json"], "unknown option '--frobnicate'"],
    [["--json"], "No command was given."],
    [["list", "--limit", "many", "--json"], '--limit "many" is not a number from 1 to 200.'],
  ])("%j is a document too", async (words, message) => {
    const { code, out } = await runCli(words, { env: { SHIPLOG_URL: "http://127.0.0.1:9", SHIPLOG_TOKEN: TOKEN } });
    expect(code).toBe(2);
    expect(JSON.parse(out).error).toMatchObject({ code: "usage", message });
  });
});

describe("shiplog dev", () => {
  it("says what is wrong with the sites", async () => {
    const folder = await mkdtemp(join(tmpdir(), "shiplog-cli-test-"));
    const { code, out, err } = await runCli(["dev", "--data", join(folder, "data")], { cwd: folder });
    await rm(folder, { recursive: true });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toContain("name an app with --app DIR, or declare sites in that file.");
  });
});

describe("shiplog version", () => {
  it("prints the version alone", async () => {
    const { version } = (await import("../../package.json", { with: { type: "json" } })).default;
    expect(await runCli(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
    expect(await runCli(["version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
    expect(JSON.parse((await runCli(["version", "--json"])).out)).toMatchObject({ version });
  });
});
