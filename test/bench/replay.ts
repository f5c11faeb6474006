import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../../blueprint/topology.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { sealArchive } from "../../engine/archive/archive.ts";
import { kmsSigner } from "../../engine/archive/signer.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { systemClock } from "../../engine/kit/clock.ts";
import { eventsOf, shardOf } from "../../engine/log/codec.ts";
import { SHARDS } from "../../engine/log/entity.ts";
import { eventStore } from "../../engine/log/event-store.ts";
import { logShards } from "../../engine/log/log-shards.ts";
import { foldRow, modelOf, viewsOf } from "../../engine/views/read-models.ts";
import { viewsTable } from "../../engine/views/views.ts";
import { clientEnvironment, clientOptions } from "../../local/client-options.ts";
import type { AccessKey } from "../../local/endpoint/endpoint.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { BEGINNING, longHistory, usualPlan } from "../support/long-history.ts";
import { notesInMemory } from "../support/seal-notes.ts";
import { putCommits } from "./long-log.ts";
import { median, stopwatch } from "./measure.ts";
import type { Done } from "./replay-worker.ts";
import { type Line, ratioLine } from "./report.ts";
import { inFolder } from "./room.ts";

const FEW = 10_000;
/** Events of the history: `BENCH_EVENTS=1000000` takes half an hour and 4 GB of disk. */
const MANY = Number(process.env.BENCH_EVENTS ?? 100_000);
const ROUNDS = 5;
const DAY = 86_400_000;
/** Events that are put one by one: enough to know the rate. */
const ONE_BY_ONE = 4_000;

type Place = { endpoint: string; credentials: AccessKey; url: string; token: string; clients: Clients; data: string };

/**
 * A hundred thousand believable events: rebuilt and compared from segments, from the table, and one put an event; and exported. The limit
 * is a bare loop that reads as much and puts as many rows, by turns with the rebuilds.
 */
export const replay = async (tell: (line: string) => void): Promise<readonly Line[]> => {
  const few = await withHistory(FEW, tell, async (place) => ({
    rss: (await rebuild(place, "segments")).rss,
    held: await heldBy(place),
  }));
  return withHistory(MANY, tell, async (place) => {
    const segments: Done[] = [];
    const limits: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      segments.push(await rebuild(place, "segments"));
      limits.push((await bare(place, "segments")) / (segments.at(-1) as Done).seconds);
    }
    const held = await heldBy(place);
    const verified: Done[] = [];
    for (let round = 0; round < ROUNDS; round++) verified.push(await rebuild(place, "verify"));
    const table: Done[] = [];
    const tableLimits: number[] = [];
    for (let round = 0; round < 3; round++) {
      table.push(await rebuild(place, "table"));
      tableLimits.push((await bare(place, "table")) / (table.at(-1) as Done).seconds);
    }
    const single = await oneByOne(place);
    const exported = await exportAll(place);
    const rates = segments.map(rate);
    const slow = table.map(rate);
    const compared = verified.map(rate);
    const many = segments.map(({ rss }) => rss);
    const { rows, events } = segments[0] as Done;
    const bench = "replay";
    return [
      {
        bench,
        what: `${events} events from segments: folded, written, compared`,
        value: median(rates),
        unit: "events/s",
        range: [Math.min(...rates), Math.max(...rates)],
        note: `${rows} rows`,
      },
      ratioLine({ bench, what: "the same ÷ a bare loop that reads segments and puts the rows", target: LIMIT }, limits),
      {
        bench,
        what: "compared only (--verify): folded from segments, every row read",
        value: median(compared),
        unit: "events/s",
        range: [Math.min(...compared), Math.max(...compared)],
      },
      { bench, what: "rebuilt from the table", value: median(slow), unit: "events/s", range: [Math.min(...slow), Math.max(...slow)] },
      ratioLine({ bench, what: "the same ÷ a bare loop that reads the table and puts the rows", target: LIMIT }, tableLimits),
      {
        bench,
        what: "from the table ÷ one conditional put an event",
        value: median(slow) / single,
        unit: "×",
        target: { is: "at least", value: 5 },
        note: `one by one ${Math.round(single)} events/s`,
      },
      { bench, what: `heap of a rebuild of ${FEW} events after a collection of garbage`, value: few.held, unit: "MB" },
      {
        bench,
        what: `heap of a rebuild of ${MANY} events`,
        value: held,
        unit: "MB",
        note: `${(held / few.held).toFixed(2)} × that of ${FEW}`,
      },
      { bench, what: `peak memory of a rebuild of ${FEW} events`, value: few.rss, unit: "MB" },
      {
        bench,
        what: `peak memory of a rebuild of ${MANY} events`,
        value: median(many),
        unit: "MB",
        range: [Math.min(...many), Math.max(...many)],
        note: `${(median(many) / few.rss).toFixed(2)} × that of ${FEW}`,
      },
      { bench, what: `shiplog audit --json of ${exported.lines} events`, value: exported.lines / exported.seconds, unit: "events/s" },
      { bench, what: "its peak memory", value: exported.rss, unit: "MB" },
      { bench, what: "growth of the API's memory meanwhile", value: exported.growth, unit: "MB" },
    ];
  });
};

const LIMIT = { is: "at least", value: 0.5 } as const;

const rate = ({ events, seconds }: Done): number => events / seconds;

/** A local AWS in a process of its own whose table and archive hold the history. */
const withHistory = <T>(events: number, tell: (line: string) => void, use: (place: Place & { pid: number }) => Promise<T>): Promise<T> =>
  inFolder(async (folder) => {
    const child = fork(join(import.meta.dirname, "replay-place.ts"), [folder], {
      execArgv: [],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const [started] = (await once(child, "message")) as [Pick<Place, "endpoint" | "credentials" | "url" | "token">];
    const clients = awsClients(clientOptions({ url: started.endpoint, credentials: started.credentials }));
    try {
      await writeFile(join(folder, "connection.json"), JSON.stringify(started));
      tell(`writing a history of ${events} events`);
      const commits = [...longHistory(usualPlan(1, events))];
      await putCommits(clients, commits);
      await sealDays(clients, commits);
      return await use({ ...started, clients, data: folder, pid: child.pid ?? 0 });
    } finally {
      clients.destroy();
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    }
  });

/** Seals each day that the history has, through the engine's own code; the commits come from memory, which is quicker. */
const sealDays = async ({ s3, kms, dynamodb }: Clients, commits: readonly Commit[]): Promise<void> => {
  const objects = s3Objects(s3, systemClock);
  const streams = Map.groupBy(commits, ({ stream }) => stream);
  const notes = notesInMemory();
  let until = 0;
  const read = async (stream: string, after: number): Promise<Commit[]> =>
    (streams.get(stream) ?? []).slice(after).filter(({ position }) => Number(position) < until);
  const shards = {
    read: async function* (shard: number) {
      yield commits.filter(({ stream }) => shardOf(stream) === shard);
    },
  };
  const archive = sealArchive(objects, BUCKETS.archive, kmsSigner(kms, SEAL_KEY), { read, shards, notes }, systemClock);
  const last = Number(commits.at(-1)?.position) + 1;
  for (let day = BEGINNING; day < last + DAY; day += DAY) {
    until = Math.min(day, last);
    await archive.seal("nothing new");
  }
  const views = viewsTable(dynamodb, VIEWS_TABLE, eventStore(dynamodb, EVENTS_TABLE).read);
  for (const stream of streams.keys()) {
    const head = await notes.sealedHead(stream);
    if (head !== undefined) await views.noteSealed(stream, head);
  }
  await views.noteSeals((await notes.sealsNoted()) ?? 0);
};

/** Its heap at most, once garbage is collected, in MB. */
const heldBy = async (place: Place): Promise<number> => (await rebuild(place, "segments", ["--expose-gc"])).held;

const rebuild = async ({ endpoint, credentials }: Place, from: string, execArgv: readonly string[] = []): Promise<Done> => {
  const child = fork(join(import.meta.dirname, "replay-worker.ts"), [from], {
    execArgv: [...execArgv],
    env: { ...process.env, ...clientEnvironment({ url: endpoint, credentials }) },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [done] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [Done];
  if (typeof done !== "object") throw new Error("the rebuild ended without a result");
  await once(child, "exit");
  return done;
};

/** Seconds of the bare loop. */
const bare = async ({ endpoint, credentials }: Place, from: "segments" | "table"): Promise<number> => {
  const child = fork(join(import.meta.dirname, "bare-worker.ts"), [from], {
    execArgv: [],
    env: { ...process.env, ...clientEnvironment({ url: endpoint, credentials }) },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const [done] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [{ seconds: number }];
  if (typeof done !== "object") throw new Error("the bare loop ended without a result");
  await once(child, "exit");
  return done.seconds;
};

/** The plain way: each event of the table is folded into its row, and the row is put if it is newer. Events a second. */
const oneByOne = async ({ clients }: Place): Promise<number> => {
  const rows = viewsTable(clients.dynamodb, VIEWS_TABLE, async () => []).rows(999);
  const shards = logShards(clients.dynamodb, EVENTS_TABLE);
  let events = 0;
  const took = await stopwatch(() =>
    Promise.all(
      Array.from({ length: SHARDS }, async (_, shard) => {
        const views = new Map<string, { version: number }>();
        for await (const page of shards.read(shard, positionAt(BEGINNING), positionAt(BEGINNING + 90 * DAY)))
          for (const commit of page) {
            const [name] = viewsOf(commit.stream);
            if (name === undefined) continue;
            for (const event of eventsOf(commit)) {
              const before = views.get(commit.stream) ?? modelOf(name).begin(commit.stream);
              const view = foldRow(name, before as never, [event]) as { version: number } | undefined;
              if (view === undefined) continue;
              views.set(commit.stream, view);
              await rows[name].put(view as never);
              events += 1;
              if (events >= ONE_BY_ONE) return;
            }
          }
      }),
    ),
  );
  return (events * 1_000) / took;
};

/** The command that a person types, with its output read line by line and thrown away. */
const exportAll = async ({ data, pid }: Place & { pid: number }) => {
  const before = await peak(pid, "VmRSS");
  const began = performance.now();
  const shiplog = join(import.meta.dirname, "../../cli/shiplog.ts");
  const child = spawn(process.execPath, [shiplog, "--data", data, "--json", "audit", "--since", "2026-11-01"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let lines = 0;
  let rss = 0;
  for await (const _ of createInterface({ input: child.stdout }))
    if (++lines % 5_000 === 0) rss = Math.max(rss, await peak(child.pid ?? 0, "VmHWM"));
  return { lines, rss, seconds: (performance.now() - began) / 1_000, growth: (await peak(pid, "VmRSS")) - before };
};

/** Of a process, in MB, where the system tells. */
const peak = async (pid: number, what: "VmHWM" | "VmRSS"): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
};
