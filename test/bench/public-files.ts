import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesKey } from "../../blueprint/edge-table.ts";
import { type DevelopmentRoom, SITE, withDevelopment } from "./development-room.ts";
import type { Line } from "./report.ts";

const FILES = 5_000;
const BYTES = 10_000;
const MINUTES = 5;
const WIDTH = 5;
const pathOf = (n: number): string => `posts/${String(n).padStart(WIDTH, "0")}.txt`;
const textOf = (n: number): string => `${n} `.padEnd(BYTES, "text ");

/**
 * For information, without a target: 5,000 public files through two whole deployments, and asked for at the edge. Besides them a
 * build has a file of its own, the only one that the second changes.
 */
export const publicFiles = (): Promise<readonly Line[]> =>
  withDevelopment(["production"], async (room) => {
    const lines: Line[] = [];
    for (const what of ["all new", "one changed"]) {
      const { id, ms, requests } = await deployed(room);
      const { seen, rows, largest } = await answered(room, id);
      const note = Object.entries(requests).map((one) => one.join(" "));
      lines.push({ bench: "public", what: `${FILES} public files, ${what}: files uploaded`, value: ms.files, unit: "ms" });
      lines.push({ bench: "public", what: "  build done → live", value: ms.live, unit: "ms" });
      lines.push({
        bench: "public",
        what: "  requests to S3",
        value: sum(Object.values(requests)),
        unit: "requests",
        note: note.join(", "),
      });
      lines.push({ bench: "public", what: "  live → its own file answered at the edge", value: seen, unit: "ms" });
      lines.push({ bench: "public", what: `  largest of ${rows} rows (CloudFront takes 1,024)`, value: largest, unit: "bytes" });
    }
    return lines;
  });

const deployed = async (room: DevelopmentRoom) => {
  const build = await room.build(async (output) => {
    await mkdir(join(output, "assets/posts"), { recursive: true });
    for (let n = 0; n < FILES; n++) await writeFile(join(output, "assets", pathOf(n)), textOf(n));
  });
  const before = room.development.aws.endpoint.counters();
  await room.request("production", build);
  const last = await room.until(
    () => room.deployment(build.id),
    ({ type }) => ["DeploymentSucceeded", "DeploymentFailed"].includes(type),
    MINUTES,
  );
  if (last.type !== "DeploymentSucceeded") throw new Error(`${build.id} ended as ${last.type}: ${JSON.stringify(last.body)}`);
  const after = room.development.aws.endpoint.counters();
  const calls = Object.entries(after).map(([name, count]): [string, number] => [name, count - (before[name] ?? 0)]);
  const events = await room.deployment(build.id);
  const at = (type: string): number => Date.parse(events.find((event) => event.type === type)?.at ?? "");
  return {
    id: build.id,
    ms: { files: at("AssetsPublished") - at("ReleaseStarted"), live: at("DeploymentSucceeded") - at("BuildSucceeded") },
    requests: Object.fromEntries(calls.filter(([name, count]) => name.startsWith("s3.") && count > 0)),
  };
};

/** Asks until the edge has the release, then for its first file, its last and some between them. */
const answered = async ({ development: { engine, sites } }: DevelopmentRoom, id: string) => {
  const ask = async (path: string): Promise<string> => (await fetch(new URL(path, sites[0]?.url))).text();
  const began = performance.now();
  while ((await ask("release.txt")) !== `${id}\n`)
    if (performance.now() - began > 60_000) throw new Error(`no visitor got a file of ${id} within a minute`);
  const seen = performance.now() - began;
  for (const n of [0, FILES - 1, ...Array.from({ length: 99 }, (_, part) => (part + 1) * (FILES / 100))])
    if ((await ask(pathOf(n))) !== textOf(n)) throw new Error(`/${pathOf(n)} is not what the build has there`);

  const site = engine.site(SITE, "production");
  const { live, everLive } = (await engine.aggregates.environment.load(SITE, "production")).state;
  const { set = "", rows = 0 } = everLive.get(live?.deploymentId ?? "")?.release.files ?? {};
  const keys = Array.from({ length: rows }, (_, row) => filesKey(site?.distribution ?? "", set, row));
  const texts = await Promise.all(keys.map((key) => engine.edgeTable.get(site?.edgeTable ?? "", key)));
  return { seen, rows, largest: Math.max(...texts.map((text) => Buffer.byteLength(text ?? ""))) };
};

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
