import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { awsClients } from "../../engine/aws/clients.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { each } from "../../engine/kit/each.ts";
import { uploadAssets } from "../../engine/open-next/assets.ts";
import type { Inspected } from "../../engine/open-next/inspect.ts";
import { systemClock } from "../../engine/wiring/engine.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { median, sideBySide, stopwatch } from "./measure.ts";
import { type Line, ratioLine } from "./report.ts";
import { inFolder } from "./room.ts";

const FILES = 1_000;
const BYTES = 10_000;
const WIDTH = 16;
const ROUNDS = 7;
const BUCKET = "static";

/** The files of a release against the PutObjects that they come to, as many at once; then the same release again. */
export const upload = (): Promise<readonly Line[]> =>
  inFolder(async (folder) => {
    const endpoint = await startEndpoint({ dataDir: folder });
    const clients = awsClients(clientOptions(endpoint));
    const objects = s3Objects(clients.s3, systemClock);
    await clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    let round = 0;
    const root = (): string => join(folder, `release-${round}`);
    const upload = () => uploadAssets(objects, LOCATIONS, inspected(root()), ids(round), () => undefined);
    const again: number[] = [];
    try {
      const { ratios, ours, theirs } = await sideBySide(
        {
          ours: async () => {
            const ms = await stopwatch(async () => {
              const { uploaded } = (await upload()).recorded;
              if (uploaded !== FILES) throw new Error(`${uploaded} of ${FILES} files were uploaded`);
            });
            again.push(await stopwatch(upload));
            return ms;
          },
          theirs: () =>
            stopwatch(() =>
              each(names(round), WIDTH, async (name) => {
                const Body = await readFile(join(root(), "assets", name));
                await clients.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `raw/${name}`, Body }));
              }),
            ),
        },
        {
          rounds: ROUNDS,
          warmUp: 2,
          prepare: async () => {
            round += 1;
            await mkdir(join(root(), "assets/_next/static"), { recursive: true });
            for (const name of names(round)) await writeFile(join(root(), "assets", name), name.padEnd(BYTES, name));
          },
        },
      );
      const information = { bench: "upload", unit: "ms" };
      return [
        ratioLine({ bench: "upload", what: `${FILES} new files ÷ raw PutObject`, target: { is: "at least", value: 0.9 } }, ratios),
        { ...information, what: "  new files", value: median(ours) },
        { ...information, what: "  raw", value: median(theirs) },
        { ...information, what: "  unchanged files", value: median(again.slice(-ROUNDS)) },
      ];
    } finally {
      clients.destroy();
      await endpoint.close();
    }
  });

const LOCATIONS = {
  bucket: BUCKET,
  assets: "web/_assets",
  cache: "web/_cache",
  releases: "web/_releases",
  publicFiles: "web/_public",
};
const names = (round: number): string[] => Array.from({ length: FILES }, (_, n) => `_next/static/${round}-${n}.js`);
const ids = (round: number) => ({ deploymentId: `dep_${round}`, releaseId: `dep_${round}` });
const inspected = (root: string): Inspected => ({
  root,
  paths: { base: "", versioned: "_next", prefix: "" },
  packages: [],
  buildId: "none",
  runtimeId: "none",
  preview: null,
  warnings: [],
});
