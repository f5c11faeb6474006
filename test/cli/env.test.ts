import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDotenv, writeDotenv } from "../../cli/dotenv.ts";
import { openTerminal } from "../../cli/terminal.ts";
import { runCli } from "./support/run-cli.ts";
import { at, deploymentId, deploymentView, environmentView, type StubEngine, stubEngine } from "./support/stub-engine.ts";

const VALUE = "canary-of-a-value";
let engine: StubEngine;
let folder: string;
const cli = (words: readonly string[], input?: string) =>
  runCli(words, { env: engine.env, cwd: folder, ...(input !== undefined && { input }) });
const asked = (method: string) => engine.state.asked.filter((one) => one.method === method);
beforeEach(async () => {
  engine = await stubEngine();
  folder = await mkdtemp(join(tmpdir(), "shiplog-env-"));
});
afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true, force: true });
});

describe("shiplog env set", () => {
  it("sends what comes by stdin, and says when it takes effect; it shows the value nowhere", async () => {
    const { code, out, err } = await cli(["env", "set", "API_KEY"], `${VALUE}\n`);
    expect([code, out]).toEqual([0, "API_KEY is set in web/production.\n"]);
    expect(err).toContain("It takes effect with the next deployment:  shiplog deploy <dir> --site web --env production");
    expect(engine.state.values).toEqual({ API_KEY: VALUE });
    expect(out + err).not.toContain(VALUE);
    expect(asked("PUT")[0]?.path).toBe("/v1/environments/web/production/variables");
    const again = await cli(["env", "set", "API_KEY"], VALUE);
    expect(again.out).toBe("API_KEY had this value already: nothing was changed.\n");
  });

  it("names the app's folder where it is known, as a shell takes it from here; so do the list and the status", async () => {
    const site = { name: "web", source: "my app", environments: [{ name: "production" }] };
    await writeFile(join(folder, "shiplog.sites.json"), JSON.stringify({ sites: [site] }));
    await mkdir(join(folder, "my app"));
    const deploy = "shiplog deploy 'my app' --site web --env production\n";
    expect((await cli(["env", "set", "API_KEY"], VALUE)).err).toContain(`with the next deployment:  ${deploy}`);
    const known = { value: "set" as const, fingerprint: "f", declared: true, at: at(0), by: "ada" };
    engine.state.listed = [{ name: "API_KEY", ...known, changed: true }];
    expect((await cli(["env", "ls"])).err).toContain(`To take effect:  ${deploy}`);
    engine.state.environments = [environmentView({ live: null, history: [] })];
    expect((await cli(["status"])).out).toContain(`nothing yet:  ${deploy}`);
    await rm(join(folder, "my app"), { recursive: true });
    expect((await cli(["env", "set", "API_KEY"], "2")).err).toContain("shiplog deploy <dir> --site web");
    await writeFile(join(folder, "shiplog.sites.json"), "{");
    const broken = await cli(["env", "set", "API_KEY"], "3");
    expect([broken.code, broken.err]).toEqual([0, expect.stringContaining("shiplog deploy <dir> --site web")]);
  });

  it.each([
    ["one newline at its end goes", "a\n", "a"],
    ["one of Windows, too", "a\r\n", "a"],
    ["further ones stay", "a\n\n", "a\n"],
    ["spaces and lines stay", " -----BEGIN\nKEY----- \n", " -----BEGIN\nKEY----- "],
  ])("takes exactly what comes: %s", async (_, input, value) => {
    expect((await cli(["env", "set", "API_KEY"], input)).code).toBe(0);
    expect(engine.state.values).toEqual({ API_KEY: value });
  });

  it.each([[["env", "set", "API_KEY", VALUE]], [["env", "set", `API_KEY=${VALUE}`]], [["env", "set", "API_KEY", "=", VALUE]]])(
    "refuses a value that is an argument, says why, and does not repeat it: %j",
    async (words) => {
      const { code, out, err } = await cli(words, "");
      expect(code).toBe(2);
      expect(err).toContain("A value is never an argument: the shell's history keeps it, and every user of the machine sees it");
      expect(err).toContain('printf %s "$VALUE" | shiplog env set API_KEY.');
      expect(out + err).not.toContain(VALUE);
      expect(engine.state.asked).toEqual([]);
    },
  );

  it.each([
    [["env", "set", "API_KEY"], "", "No value of API_KEY was given."],
    [["env", "set", "API_KEY"], "\n", "No value of API_KEY was given."],
    [["env", "set"], "a", "Which variable?"],
    [["env", "set", "API_KEY", "--from", "-"], "a", "A name and --from both say what to set."],
    [["env", "set", "--from", "-"], "# nothing\n", "No variable was found in stdin."],
    [["env", "set", "--from", "gone.env"], "", "There is no file gone.env."],
  ])("refuses %j with nothing to set", async (words, input, message) => {
    const { code, err } = await cli(words, input);
    expect([code, err.includes(message)]).toEqual([2, true]);
    expect(asked("PUT")).toEqual([]);
  });

  it("takes a dotenv file, by its name or by stdin, as one change", async () => {
    await writeFile(join(folder, ".env.shop"), "API_KEY='a'\nEMPTY=\n");
    expect((await cli(["env", "set", "--from", ".env.shop"])).out).toBe("API_KEY, EMPTY are set in web/production.\n");
    const { out } = await cli(["env", "set", "--from", "-", "--json"], "API_KEY=a\nOTHER=b\n");
    expect(JSON.parse(out)).toMatchObject({ site: "web", environment: "production", changed: ["OTHER"] });
    expect(engine.state.values).toEqual({ API_KEY: "a", EMPTY: "", OTHER: "b" });
    expect(asked("PUT")).toHaveLength(2);
  });

  it.each(["--env", "--environment"])("goes where %s says", async (option) => {
    engine.state.environments.push(environmentView({ environment: "preview" }));
    expect((await cli(["env", "set", "API_KEY", "--site", "web", option, "preview"], "a")).out).toContain("set in web/preview");
    expect(asked("PUT")[0]?.path).toBe("/v1/environments/web/preview/variables");
  });
});

describe("a value that is typed", () => {
  it("is shown nowhere, and taken as it is", async () => {
    const tty = () => Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
    const [stdin, stdout, stderr] = [tty(), tty(), tty()];
    let shown = "";
    for (const stream of [stdout, stderr]) stream.on("data", (text) => (shown += text));
    const answer = openTerminal(stdin as never, stdout as never, stderr as never).secret("Value", new AbortController().signal);
    stdin.write(`${VALUE}\r`);
    expect(await answer).toBe(VALUE);
    expect(shown).toBe("Value: \n");
  });
});

describe("shiplog env ls", () => {
  const one = (name: string, change: object) => ({
    name,
    declared: true,
    value: "set" as const,
    fingerprint: "0123456789abcdef",
    at: at(0),
    by: "ada (token default)",
    changed: false,
    ...change,
  });

  it("tells of each variable when it was set, by whom, and whether it has changed since what is live", async () => {
    engine.state.listed = [
      one("API_KEY", { changed: true }),
      one("API_URL", { at: null, by: null }),
      one("NEW", { value: "none", fingerprint: null, at: null, by: null, changed: null }),
      one("OLD", { declared: false }),
    ];
    const { code, out, err } = await cli(["env", "ls"]);
    expect(code).toBe(0);
    const [head, ...rows] = out.trimEnd().split("\n");
    expect(head).toMatch(/^NAME +VALUE +LIVE +SET +BY$/);
    expect(rows[0]).toMatch(/^API_KEY +01234567 +changed +\S+ ago +ada \(token default\)$/);
    expect(rows[1]).toMatch(/^API_URL +01234567 +the same +otherwise +-$/);
    expect(rows[2]).toMatch(/^NEW +- +- +no value +-$/);
    expect(rows[3]).toMatch(/^OLD +01234567 +the same +\S+ ago, not declared +ada/);
    expect(err).toContain("Changed since what is live: API_KEY. To take effect:  shiplog deploy <dir> --site web --env production");
    expect(JSON.parse((await cli(["env", "ls", "--json"])).out).variables).toHaveLength(4);
  });

  it("says how to declare one where there is none", async () => {
    expect((await cli(["env", "ls"])).err).toContain('web/production has no variable. Declare names in "variables"');
  });
});

it("shiplog env rm asks, and then removes", async () => {
  engine.state.values = { API_KEY: "a" };
  expect((await cli(["env", "rm", "API_KEY"])).code).toBe(2);
  expect(engine.state.values).toEqual({ API_KEY: "a" });
  const { code, out } = await cli(["env", "rm", "API_KEY", "--yes"]);
  expect([code, out]).toEqual([0, "API_KEY is removed from web/production. What is live keeps it until the next deployment.\n"]);
  expect(engine.state.values).toEqual({});
});

describe("shiplog env pull", () => {
  beforeEach(() => {
    engine.state.values = { API_URL: "https://x", API_KEY: VALUE };
  });
  const mode = async (file: string) => ((await stat(join(folder, file))).mode & 0o777).toString(8);

  it("writes the values into .env.local, which only its owner may read, and shows none", async () => {
    const { code, out, err } = await cli(["env", "pull"]);
    expect([code, out]).toEqual([0, "2 values of web/production in .env.local, which only you may read.\n"]);
    expect(await readFile(join(folder, ".env.local"), "utf8")).toBe(`API_KEY='${VALUE}'\nAPI_URL='https://x'\n`);
    expect([await mode(".env.local"), await readdir(folder)]).toEqual(["600", [".env.local"]]);
    expect(out + err).not.toContain(VALUE);
    const json = JSON.parse((await cli(["env", "pull", "other.env", "--json"])).out);
    expect(json).toEqual({
      site: "web",
      environment: "production",
      file: join(folder, "other.env"),
      names: ["API_KEY", "API_URL"],
      unwritten: [],
    });
  });

  it("asks for no value where it would write over a file, but with --yes, and makes that file private", async () => {
    await writeFile(join(folder, ".env.local"), "MINE=1\n", { mode: 0o644 });
    const { code, err } = await cli(["env", "pull"]);
    expect([code, err.includes("--yes")]).toEqual([2, true]);
    expect(asked("POST")).toEqual([]);
    expect((await cli(["env", "pull", "--yes"])).code).toBe(0);
    expect([await mode(".env.local"), await readFile(join(folder, ".env.local"), "utf8")]).toEqual(["600", expect.stringContaining(VALUE)]);
  });

  it("writes through no link and over no folder", async () => {
    await symlink("/dev/null", join(folder, "link"));
    await mkdir(join(folder, "sub"));
    for (const file of ["link", "sub"]) expect((await cli(["env", "pull", file, "--yes"])).code).toBe(2);
    expect(asked("POST")).toEqual([]);
  });

  it("warns where git does not ignore the file, and is quiet where it does", async () => {
    execFileSync("git", ["init", "-q"], { cwd: folder });
    expect((await cli(["env", "pull"])).err).toContain("Careful: git does not ignore .env.local. Add it to .gitignore");
    await writeFile(join(folder, ".gitignore"), ".env*\n");
    expect((await cli(["env", "pull", "--yes"])).err).not.toContain("git");
  });

  it("names what no dotenv file can hold, and ends with 5", async () => {
    engine.state.values = { ODD: `'"\`${VALUE}`, GOOD: "g" };
    const { code, out, err } = await cli(["env", "pull"]);
    expect([code, err.includes("A dotenv file cannot hold the value of ODD")]).toEqual([5, true]);
    expect(await readFile(join(folder, ".env.local"), "utf8")).toBe("GOOD='g'\n");
    expect(out + err).not.toContain(VALUE);
  });

  it("by a token that may not is not authorised, and says who may", async () => {
    engine.state.isClosed = true;
    const { code, err } = await cli(["env", "pull"]);
    expect([code, err.includes("may not read the values"), await readdir(folder)]).toEqual([4, true, []]);
  });
});

describe("a dotenv file", () => {
  it.each([
    "plain",
    "",
    " spaces ",
    "a=b#c",
    "two\nlines\n",
    "it's",
    'say "hi"',
    `both ' and "`,
    "p$word, \\$5 and $HOME",
    "back\\nslash",
    "ünï ✓",
    "-----BEGIN KEY-----\nMIIE\n-----END KEY-----\n",
  ])("gives back the value that was written: %j", (value) => {
    const { text, unwritten } = writeDotenv({ A: value, B: "last" });
    expect([unwritten, readDotenv(text)]).toEqual([[], { A: value, B: "last" }]);
  });
  it("is read as people write them", () => {
    expect(readDotenv('\uFEFFexport A=1 # one\n# B=2\nC="x\\ny"\r\n')).toEqual({ A: "1", C: "x\ny" });
  });
});

describe("shiplog status", () => {
  it("names the variables that changed since the live release, with the command that brings them to it", async () => {
    const variable = (fingerprint: string) => ({ fingerprint, revision: 1, at: at(0), actor: "ada" });
    const given = { API_KEY: "0".repeat(16), API_URL: "1".repeat(16) };
    engine.state.environments = [environmentView({ variables: { API_KEY: variable("f".repeat(16)), API_URL: variable(given.API_URL) } })];
    const live = deploymentView(2, { status: "success", variables: { built: given, published: given } });
    engine.state.deployments.set(deploymentId(2), live);
    const { out } = await cli(["status"]);
    expect(out).toMatch(
      /variables +changed since the live release: API_KEY; to take effect: {2}shiplog deploy <dir> --site web --env production/,
    );
    expect(JSON.parse((await cli(["status", "--json"])).out).environments[0].changedVariables).toEqual(["API_KEY"]);
    expect((await cli(["inspect", deploymentId(2)])).out).toMatch(/variables +API_KEY, API_URL/);
  });
});
