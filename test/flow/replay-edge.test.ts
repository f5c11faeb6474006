import { afterAll, beforeAll, expect, it } from "vitest";
import { filesKey, liveKey, releaseKey } from "../../blueprint/edge-table.ts";
import { runCli } from "../cli/support/run-cli.ts";
import { startProxiedWorld } from "../support/proxied-world.ts";
import type { World } from "../support/world.ts";

let room: Awaited<ReturnType<typeof startProxiedWorld>>;
let world: World;
let proxy: (typeof room)["proxy"];
let data: string;
beforeAll(async () => {
  room = await startProxiedWorld({ environments: ["lost", "refused", "quiet"] });
  ({ world, proxy, data } = room);
});
afterAll(() => room.close());

/** More than a route has room for. */
const PUBLIC_FILES = 300;
const shiplog = (...words: string[]) => runCli(["--data", data, "replay", "edge", ...words]);
const edgeOf = (environment: string) => {
  const { edgeTable: table, distribution } = world.dev.engine.site("web", environment) ?? {};
  return { table: table ?? "", distribution: distribution ?? "" };
};
const tableOf = async (): Promise<Map<string, string>> => (await world.dev.engine.edgeTable.list(edgeOf("lost").table)) ?? new Map();
const change = async (puts: Record<string, string>, deletes: readonly string[] = []): Promise<void> => {
  const { edgeTable } = world.dev.engine;
  const { table } = edgeOf("lost");
  await edgeTable.update(table, await edgeTable.version(table), { puts, deletes });
};
const answer = async (environment: string, path: string, headers: Record<string, string> = {}) => {
  const { status, headers: of, body } = await fetch(`${world.urlOf(environment)}${path}`, { headers });
  await body?.cancel();
  return [status, of.get("x-shiplog-deployment")];
};

it("writes a lost table again, and visitors are answered as before", async () => {
  const first = await world.live("lost", { publicFiles: PUBLIC_FILES });
  const second = await world.live("lost", { publicFiles: PUBLIC_FILES });
  const { distribution } = edgeOf("lost");
  const visits = () =>
    Promise.all([
      answer("lost", "/", { accept: "text/html" }),
      answer("lost", "/api/hello", { "x-deployment-id": first }),
      answer("lost", "/api/hello", { "x-deployment-id": second }),
      answer("lost", "/docs/more-7.txt"),
    ]);
  const before = await visits();
  expect(before.map(([status, release]) => (status === 200 ? release : status)).slice(0, 3)).toEqual([second, first, second]);
  const rows = await tableOf();
  expect([...rows.keys()].filter((key) => key.startsWith("files:")).length).toBeGreaterThan(1);
  const healthy = await shiplog("--verify");
  expect([healthy.code, healthy.out.replace(/\d\.\d s/, "0.0 s")]).toEqual([
    0,
    `${rows.size} rows of 3 environments: each is what the log says (0.0 s)\n`,
  ]);

  await change({}, [...rows.keys()]);
  expect(await visits()).not.toEqual(before);
  const found = await shiplog("--verify");
  expect(found.code).toBe(5);
  expect(found.out).toContain(`web/lost ${liveKey(distribution)}: there is no row\n`);
  expect(found.err).toContain(`${rows.size} rows are not what the log says.\nPut right what can be with:  shiplog replay edge`);
  proxy.calls.length = 0;
  const replayed = await shiplog();
  expect([replayed.code, replayed.out]).toEqual([
    0,
    expect.stringContaining(`edge: ${rows.size} rows of 3 environments as the log says: ${rows.size} written, 0 deleted`),
  ]);
  expect(await tableOf()).toEqual(rows);
  expect(await visits()).toEqual(before);
  expect([...new Set(proxy.calls.map(({ name }) => name))].sort()).toEqual([
    "CLOUDFRONT-KEYVALUESTORE.GET key-value-stores",
    "CLOUDFRONT-KEYVALUESTORE.POST key-value-stores",
    "DynamoDB.Query shiplog-events",
    "S3.GET shiplog-static",
  ]);
});

it("finds what a hand wrote, puts it right, and leaves what is nobody's", async () => {
  const { distribution } = edgeOf("lost");
  const rows = await tableOf();
  const row = rows.get(liveKey(distribution)) ?? "";
  await change({
    [liveKey(distribution)]: row.replace(/"server":"[^"]+"/, '"server":"elsewhere"'),
    [releaseKey(distribution, "dep_of_a_hand")]: row,
    "live:EGONE": row,
  });
  const found = await shiplog("--verify", "--json");
  expect(found.code).toBe(5);
  expect(JSON.parse(found.out)).toMatchObject({
    differences: [
      {
        place: "web/lost",
        key: liveKey(distribution),
        what: expect.stringMatching(/^server is "elsewhere", and the log says "[a-z0-9]+"$/),
      },
      { place: "web/lost", key: releaseKey(distribution, "dep_of_a_hand"), what: "the log has no such row" },
    ],
    strangers: ["live:EGONE"],
    log: { fault: null, faults: [] },
  });
  const replayed = await shiplog();
  expect([replayed.code, replayed.out]).toEqual([0, expect.stringContaining("1 written, 1 deleted")]);
  expect(replayed.err).toContain(`written: ${liveKey(distribution)}\n`);
  expect(replayed.err).toContain(`deleted: ${releaseKey(distribution, "dep_of_a_hand")}\n`);
  expect(replayed.err).toContain("Of no environment that is declared, and left as they are: live:EGONE.");
  expect(await tableOf()).toEqual(new Map([...rows, ["live:EGONE", row]]));
  await change({}, ["live:EGONE"]);
});

it("works where keys may not be listed, and says what could not be looked for", async () => {
  await world.live("refused");
  const { table, distribution } = edgeOf("refused");
  const rows = await tableOf();
  await change({}, [liveKey(distribution), filesKey(edgeOf("lost").distribution, setIn(rows), 1)]);
  const denied = refusal(403, "AccessDeniedException", "not authorized to perform: cloudfront-keyvaluestore:ListKeys");
  proxy.refuse(({ name, path }) =>
    name === "CLOUDFRONT-KEYVALUESTORE.GET key-value-stores" && /\/keys(\?|$)/.test(path) ? denied : undefined,
  );
  const { code, out, err } = await shiplog();
  proxy.refuse(() => undefined);
  expect([code, out]).toEqual([0, expect.stringContaining("2 written, 0 deleted")]);
  expect(err).toContain(`these credentials may not list the keys of ${table}.`);
  expect(await tableOf()).toEqual(rows);
});

it("says what it cannot be asked for", async () => {
  const restarted = await shiplog("--restart");
  expect([restarted.code, restarted.err]).toEqual([2, expect.stringContaining("there is nothing to --restart")]);
  const unknown = await runCli(["--data", data, "replay", "edges"]);
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("edge or snapshots.")]);
});

it("says what is missing where the table is gone, or may not be written", async () => {
  const { distribution } = edgeOf("refused");
  const { [liveKey(distribution)]: row = "" } = Object.fromEntries(await tableOf());
  await change({}, [liveKey(distribution)]);
  const denied = refusal(403, "AccessDeniedException", "not authorized to perform: cloudfront-keyvaluestore:UpdateKeys");
  proxy.refuse(({ name }) => (name === "CLOUDFRONT-KEYVALUESTORE.POST key-value-stores" ? denied : undefined));
  const unwritten = await shiplog();
  expect([unwritten.code, unwritten.err]).toEqual([
    2,
    expect.stringMatching(/may not do that: not authorized .*UpdateKeys[\s\S]*docs\/aws.md/),
  ]);
  proxy.refuse(({ name }) =>
    name.startsWith("CLOUDFRONT-KEYVALUESTORE.") ? refusal(404, "ResourceNotFoundException", "There is no such store.") : undefined,
  );
  const gone = await shiplog("--verify", "--json");
  expect([gone.code, gone.err + gone.out]).toEqual([5, expect.stringContaining("table.missing")]);
  proxy.refuse(() => undefined);
  await change({ [liveKey(distribution)]: row });
});

const refusal = (status: number, type: string, Message: string) => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": type },
  body: JSON.stringify({ Message }),
});

/** The one set of public files that has rows. */
const setIn = (rows: ReadonlyMap<string, string>): string =>
  [...rows.keys()].find((key) => key.startsWith("files:"))?.split(":")[2] ?? "none";
