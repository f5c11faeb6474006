import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AuditedPast, EVIL, LINES, type Row, startAuditedPast } from "../support/audited-past.ts";
import { exportOf, logOf, MORNING, PEM } from "../support/sealed-log.ts";
import { runCli, startCli } from "./support/run-cli.ts";

let past: AuditedPast;
let all: Row[];
let folder: string;
const cli = (...words: string[]) => runCli(words, { env: past.env });
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-audit-"));
  past = await startAuditedPast();
  all = await past.trail();
}, 60_000);
afterAll(async () => {
  await past.close();
  await rm(folder, { recursive: true, force: true });
});

const lines = (out: string): string[] => out.trimEnd().split("\n");
const rowsIn = (out: string): Row[] => lines(out).map((line) => JSON.parse(line) as Row);

describe("shiplog audit", () => {
  it("is one event a line: when, where, what, who, from where, what it changed, and why", async () => {
    const { code, out, err } = await cli("audit");
    expect([code, err]).toEqual([0, ""]);
    expect(lines(out)).toHaveLength(all.length);
    const [rolledBack] = all.filter(({ type }) => type === "EnvironmentPinned");
    expect(lines(out)).toContain(
      `${rolledBack?.at}  web/production  EnvironmentPinned     carol (token ci) from 127.0.0.1  pin: nothing → ${EVIL}  "${EVIL}"`,
    );
    expect(out).toContain(`shiplog flip-alias  live: ${past.ids.second} → ${past.ids.first}`);
    // what it did, beside the deployment that it did it for
    expect(out).toContain(`VersionsPublished     shiplog publish-release  ${past.ids.second}  revalidation 2, server 2\n`);
    // what is of no environment is told by its stream
    expect(out).toMatch(/Z {2}webhook\/wh_\w{26} {2}WebhookAdded {2,}\S.*127\.0\.0\.1 {2}slack http:/);
    // a reason of two lines is one
    expect(out).toContain('"it is "broken", says ada"');
  });

  it("prints the whole of each event with --json", async () => {
    expect(rowsIn((await cli("audit", "--json")).out)).toEqual(all);
  });

  it.each([
    ["--site docs", ({ site }: Row) => site === "docs"],
    ["--env staging", ({ environment }: Row) => environment === "staging"],
    ["--actor bob", ({ actor }: Row) => actor.includes("bob")],
    ["--type AliasFlipped", ({ type }: Row) => type === "AliasFlipped"],
    ["--site web --env production --type ReleaseWentLive", ({ type }: Row) => type === "ReleaseWentLive"],
  ])("%s shows only that", async (words, is) => {
    const { out } = await cli("audit", "--json", ...words.split(" "));
    expect(rowsIn(out)).toEqual(all.filter(is));
  });

  it("--since and --until take a time, a position, or how long ago", async () => {
    const { firstLive, secondLive } = past.at;
    const between = all.filter(({ at }) => at >= firstLive && at < secondLive);
    expect(between.length).toBeGreaterThan(0);
    const position = (time: string) => String(Date.parse(time)).padStart(15, "0");
    for (const [since, until] of [
      [firstLive, secondLive],
      [position(firstLive), position(secondLive)],
    ] as const)
      expect(rowsIn((await cli("audit", "--json", "--since", since, "--until", until)).out)).toEqual(between);
    expect(rowsIn((await cli("audit", "--json", "--since", "2h")).out)).toEqual(all);
    expect((await cli("audit", "--json", "--until", "2h")).out).toBe("");
    expect(await cli("audit", "--since", "noon")).toMatchObject({ code: 2, err: expect.stringContaining("--since") });
  });

  it("prints CSV that a spreadsheet reads and does not run", async () => {
    const { out } = await cli("audit", "--csv");
    expect(out.split("\n")[0]).toMatch(/^position,at,id,type,/);
    expect(out).toContain(`"'${EVIL.replaceAll('"', '""')}"`);
    expect(out).toContain(`"${LINES.replaceAll('"', '""')}"`);
    // each event is a line, and a reason of two lines is two
    expect(lines(out)).toHaveLength(1 + all.length + all.filter(({ why }) => why === LINES).length);
    expect((await cli("audit", "--csv", "--type", "Nothing")).out.trimEnd()).toBe(out.split("\n")[0]);
  });

  it("prints CloudEvents, each of its own", async () => {
    const events = lines((await cli("audit", "--cloudevents")).out).map((line) => JSON.parse(line));
    expect(events.map(({ data }) => data)).toEqual(all);
    expect(new Set(events.map(({ source, id }) => `${source} ${id}`)).size).toBe(all.length);
    expect(new Set(events.map(({ specversion }) => specversion))).toEqual(new Set(["1.0"]));
  });

  it("takes one format", async () => {
    for (const words of [
      ["--csv", "--cloudevents"],
      ["--csv", "--json"],
    ])
      expect(await cli("audit", ...words)).toMatchObject({ code: 2, err: expect.stringContaining("Give one of them") });
  });
});

describe("a trail in which nothing fits", () => {
  it("is said to be so, and names a type that no event has", async () => {
    const none = { code: 0, out: "", err: "Nothing in the trail since 30d fits.\n" };
    expect(await cli("audit", "--site", "nobodys")).toEqual(none);
    expect(await cli("audit", "--site", "nobodys", "--json")).toEqual(none);
    expect((await cli("audit", "--type", "ReleaseEnded", "--since", "99999d")).err).toBe("Nothing in the trail since 99999d fits.\n");
    expect((await cli("audit", "--type", "SkewCut")).err).toMatch(/fits\. This command knows no events of the type SkewCut: /);
  });

  it("is refused where it would begin at a time that has not come", async () => {
    expect(await cli("audit", "--since", "2130-01-01")).toMatchObject({
      code: 2,
      err: expect.stringContaining('--since "2130-01-01" has not come yet.'),
    });
  });
});

describe("a trail that is longer than memory", () => {
  /** An engine whose trail is pages of the same rows; a page waits for the test where it says so. */
  const serve = async (pages: number, rowsOfPage: number, hold: (page: number) => Promise<unknown> = async () => undefined) => {
    const [row] = all.filter(({ why }) => why === LINES);
    const server = createServer(async (request, response) => {
      const cursor = new URL(request.url ?? "/", "http://here").searchParams.get("cursor");
      const page = cursor === null ? 0 : Number(cursor);
      await hold(page);
      const rows = Array.from({ length: rowsOfPage }, (_, n) => ({ ...row, id: `page-${page}-row-${n}` }));
      response.end(JSON.stringify({ rows, next: page + 1 < pages ? String(page + 1) : null }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { env: { SHIPLOG_URL: url, SHIPLOG_TOKEN: "t" }, close: () => server.close() };
  };

  it("is printed page by page: the first before the second is there", async () => {
    let release: (value: unknown) => void = () => undefined;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    const engine = await serve(2, 2, async (page) => page === 1 && (await held));
    const reading = startCli(["audit", "--json"], { env: engine.env });
    await reading.prints("page-0-row-1");
    release(undefined);
    expect((await reading.finished).out).toContain("page-1-row-1");
    engine.close();
  });

  it("goes through a small heap: what is not read yet is waited for", async () => {
    const engine = await serve(150, 1_000);
    const { code, out, err } = await runCli(["audit", "--json"], { env: { ...engine.env, NODE_OPTIONS: "--max-old-space-size=48" } });
    engine.close();
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("page-149-row-999");
    // more than the heap could hold
    expect(out.length).toBeGreaterThan(60_000_000);
  });
});

describe("shiplog why", () => {
  it("says why the version is live, with the event of each link", async () => {
    const { code, out } = await cli("why", "web/production");
    expect(code).toBe(0);
    const [head, ...links] = lines(out);
    expect(head).toBe(`web/production  ${past.ids.first}`);
    expect(links.map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      "asked for",
      "source",
      "built",
      "published",
      "checked",
      "rollback",
      "alias",
      "live",
    ]);
    const rollback = links.find((line) => line.includes("rollback"));
    expect(rollback).toContain("carol (token ci)");
    expect(rollback).toContain(EVIL);
    for (const line of links) expect(all.some(({ id, at }) => line.includes(` ${id} `) && line.includes(at))).toBe(true);
  });

  it("--at a time, how long ago, or a position: what was live then", async () => {
    const { first, second } = past.ids;
    const at = async (moment: string) => (await cli("why", "web/production", "--at", moment)).out.split("\n")[0];
    const wentLive = all.filter(({ type }) => type === "ReleaseWentLive").map(({ position }) => position);
    expect(await at(past.at.firstLive)).toBe(`web/production  ${first} at ${past.at.firstLive}`);
    expect(await at(wentLive[1] ?? "")).toBe(`web/production  ${second} at ${wentLive[1]}`);
    expect(await at("1s")).toBe(`web/production  ${first} at 1s`);
  });

  it("says so where nothing is or was live", async () => {
    expect(await cli("why", "web/staging")).toEqual({ code: 0, out: "", err: "Nothing is live in web/staging.\n" });
    expect(await cli("why", "web/production", "--at", "3h")).toEqual({
      code: 0,
      out: "",
      err: "Nothing had been live yet in web/production at 3h.\n",
    });
  });

  it("prints one document with --json", async () => {
    const { out } = await cli("why", "web/production", "--at", past.at.secondLive, "--json");
    expect(JSON.parse(out)).toMatchObject({ site: "web", environment: "production", at: past.at.secondLive, deployment: past.ids.second });
    expect(JSON.parse((await cli("why", "web/staging", "--json")).out)).toMatchObject({ at: null, deployment: null, because: [] });
  });

  it("ends with 2 where the environment or the moment is none", async () => {
    expect(await cli("why", "web/nowhere")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Known: web/production, web/staging"),
    });
    expect(await cli("why", "web/production", "--at", "noon")).toMatchObject({ code: 2, out: "" });
  });
});

describe("shiplog audit seal, export and verify", () => {
  it("seal, export and verify the log, offline and with a key from elsewhere", async () => {
    const sealed = await cli("audit", "seal");
    expect([sealed.code, sealed.out]).toEqual([0, expect.stringMatching(/^seal \d+: \d+ commits, from \S+Z to \S+Z\n$/)]);
    const out = join(folder, "whole");
    const exported = await cli("audit", "export", "--out", out);
    expect([exported.code, exported.out]).toEqual([0, expect.stringContaining(`in ${out}. Verify with:  shiplog audit verify ${out}`)]);
    expect((await readdir(out)).sort()).toEqual(["public-key.pem", "seals", "segments"]);

    const key = join(folder, "trusted.pem");
    await writeFile(key, await readFile(join(out, "public-key.pem")));
    // no engine is known here: nothing is asked
    const offline = (...words: string[]) => runCli(["audit", "verify", ...words]);
    const verified = await offline(out, "--key", key);
    expect([verified.code, verified.out]).toEqual([0, expect.stringMatching(/^verified: [1-9]\d* commits in \d+ seals?, up to \S+Z\n$/)]);
    expect(JSON.parse((await offline(out, "--json")).out)).toMatchObject({ fault: null });

    const other = join(folder, "other.pem");
    await writeFile(other, generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }));
    expect(await offline(out, "--key", other)).toMatchObject({
      code: 5,
      out: expect.stringMatching(/^NOT VERIFIED: seal 1: its signature is not of this key/),
    });
  });

  it("verify names the place of what was changed, and ends with 5", async () => {
    await cli("audit", "seal");
    const out = join(folder, "changed");
    await cli("audit", "export", "--out", out);
    const [segment = ""] = (await readdir(join(out, "segments"))).sort();
    const file = join(out, "segments", segment);
    const text = gunzipSync(await readFile(file)).toString();
    await writeFile(file, gzipSync(text.replace("(token ci)", "(token mallory)")));
    const line = text.split("\n").findIndex((one) => one.includes("(token ci)")) + 1;
    const { code, out: said } = await runCli(["audit", "verify", out]);
    expect(code).toBe(5);
    expect(said).toMatch(new RegExp(`^NOT VERIFIED: seal 1, line ${line}, position \\d{15}: its content was changed`));
    expect(JSON.parse((await runCli(["audit", "verify", out, "--json"])).out).fault).toMatchObject({ seal: 1, line });
  });

  it("say what is wrong with the words, and end with 2", async () => {
    const here = join(folder, "words");
    const key = join(folder, "rsa.pem");
    await writeFile(key, generateKeyPairSync("rsa", { modulusLength: 2_048 }).publicKey.export({ format: "pem", type: "spki" }));
    await writeFile(join(folder, "none.pem"), "not a key");
    expect(await runCli(["audit", "verify", here])).toMatchObject({ code: 2, err: expect.stringContaining(`There is no folder ${here}.`) });
    await mkdir(here);
    expect(await runCli(["audit", "verify", here])).toMatchObject({ code: 2, err: expect.stringContaining("There is no public key in") });
    for (const name of ["rsa.pem", "none.pem"])
      expect(await runCli(["audit", "verify", here, "--key", join(folder, name)])).toMatchObject({
        code: 2,
        err: expect.stringContaining("not an Ed25519 key"),
      });
    await writeFile(key, generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" }));
    expect(await runCli(["audit", "verify", here, "--key", key])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`There are no seals in ${here}`),
    });
    expect(await cli("audit", "export", "--out", folder)).toMatchObject({ code: 2, err: expect.stringContaining("is not empty") });
    expect((await cli("audit", "export")).code).toBe(2);
    expect(await readdir(folder)).not.toContain("segments");
  });
});

describe("sealed history of many pages", () => {
  const SEALS = 45;
  /** An engine that lists twenty seals at a time, and takes back the addresses of a page once the next one is asked for. */
  const serve = async () => {
    const log = logOf(SEALS * 2);
    const files = await exportOf(
      () => log,
      Array.from({ length: SEALS }, (_, day) => MORNING + (day + 1) * 2_000),
    );
    const seals = [...files].filter(([path]) => path.startsWith("seals/")).map(([, bytes]) => JSON.parse(String(bytes)));
    const asked: string[] = [];
    let current = 0;
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", url);
      if (pathname === "/v1/seals") {
        const after = Number(searchParams.get("after") ?? 0);
        current = after;
        asked.push(`page after ${after}`);
        const page = seals.slice(after, after + 20).map((seal) => {
          const { key } = JSON.parse(seal.manifest).segment;
          return { ...seal, segment: `${url}/${key}?page=${after}` };
        });
        const next = after + 20 < SEALS ? after + 20 : null;
        return response.end(JSON.stringify({ publicKey: PEM, seals: page, next }));
      }
      asked.push("segment");
      if (Number(searchParams.get("page")) === current) return response.end(files.get(pathname.slice(1)));
      response.statusCode = 403;
      return response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { asked, env: { SHIPLOG_URL: url, SHIPLOG_TOKEN: "t" }, close: () => server.close() };
  };

  it("is exported and verified to its end: the segments of a page before the next page", async () => {
    const engine = await serve();
    const out = join(folder, "pages");
    const exported = await runCli(["audit", "export", "--out", out], { env: engine.env });
    expect([exported.code, exported.out]).toEqual([0, expect.stringContaining(`${SEALS} seals and their segments are in ${out}`)]);
    const segments = (count: number): string[] => Array.from({ length: count }, () => "segment");
    const inOrder = ["page after 0", ...segments(20), "page after 20", ...segments(20), "page after 40", ...segments(5)];
    expect(engine.asked).toEqual(inOrder);
    expect(await runCli(["audit", "verify", out], { env: engine.env })).toMatchObject({
      code: 0,
      out: expect.stringMatching(new RegExp(`^verified: ${SEALS * 2} commits in ${SEALS} seals, `)),
    });
    expect(engine.asked).toEqual(inOrder);
    engine.close();
  });

  it("leaves no folder behind where the engine gave nothing: the next run would refuse it", async () => {
    const env = { ...past.env, SHIPLOG_TOKEN: "another" };
    expect((await runCli(["audit", "export", "--out", join(folder, "refused")], { env })).code).toBe(4);
    expect(await readdir(folder)).not.toContain("refused");
  });
});

describe("the options of the trail, at its subcommands", () => {
  it.each([
    ["--site web", "export --out"],
    ["--env production", "export --out"],
    ["--actor bob", "export --out"],
    ["--type AliasFlipped", "export --out"],
    ["--since 7d", "export --out"],
    ["--until 1d", "export --out"],
    ["--csv", "verify"],
    ["--cloudevents", "seal"],
  ])("%s is refused by `audit %s`, before and behind its name", async (option, subcommand) => {
    const out = join(folder, "narrowed");
    const [name = "", ...rest] = subcommand === "export --out" ? ["export", "--out", out] : [subcommand];
    const sealsBefore = (await past.engine.archive.seals()).length;
    const said = option.split(" ");
    for (const words of [
      [...said, name, ...rest],
      [name, ...rest, ...said],
    ])
      expect(await cli("audit", ...words)).toEqual({
        code: 2,
        out: "",
        err: expect.stringMatching(new RegExp(`^error: \`shiplog audit ${name}\` does not take ${said[0]}: `)),
      });
    expect(await readdir(folder)).not.toContain("narrowed");
    expect(await past.engine.archive.seals()).toHaveLength(sealsBefore);
  });

  it("are all named, and in a document with --json", async () => {
    const { code, out } = await cli("audit", "export", "--until", "1d", "--out", join(folder, "narrowed"), "--site", "web", "--json");
    const next = expect.stringContaining("narrow the trail itself");
    expect([code, JSON.parse(out).error]).toEqual([2, { code: "usage", message: expect.stringContaining("--site and --until"), next }]);
  });

  it("are not in the help there; --json and --data are", async () => {
    for (const name of ["seal", "export", "verify"]) {
      const { code, out } = await cli("audit", name, "--help");
      expect(code).toBe(0);
      expect(out).toContain("Global Options:");
      expect(out).toMatch(/^ {2}--json .*\n {2}--data <folder> /m);
      expect(out).not.toMatch(/--(site|env|actor|type|since|until|csv|cloudevents)\b/);
    }
    expect((await cli("audit", "--help")).out).toMatch(/--site <site>.*--json/s);
  });

  it("leave --json and --data as they are", async () => {
    const connection = { url: past.env.SHIPLOG_URL, token: past.env.SHIPLOG_TOKEN };
    await writeFile(join(folder, "connection.json"), JSON.stringify(connection));
    for (const words of [
      ["audit", "--data", folder, "seal", "--json"],
      ["audit", "seal", "--json", "--data", folder],
    ])
      expect(Object.keys(JSON.parse((await runCli(words)).out))).toEqual(["sealed"]);
  });
});
