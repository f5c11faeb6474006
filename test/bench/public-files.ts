import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { awsClients } from "../../engine/aws/clients.ts";
import { s3Objects } from "../../engine/aws/objects.ts";
import { uploadAssets } from "../../engine/open-next/assets.ts";
import { systemClock } from "../../engine/wiring/engine.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import type { Line } from "./report.ts";
import { inFolder } from "./room.ts";
import { inspected, LOCATIONS } from "./upload.ts";

const FILES = 5_000;
const BYTES = 10_000;
const BUCKET = "static";

/** For information, without a target: one of 5,000 public files changed, beside what is live and without it. */
export const publicFiles = (): Promise<readonly Line[]> =>
  inFolder(async (folder) => {
    const endpoint = await startEndpoint({ dataDir: folder });
    const clients = awsClients(clientOptions(endpoint));
    const objects = s3Objects(clients.s3, systemClock);
    await clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const root = join(folder, "build");
    await mkdir(join(root, "assets/posts"), { recursive: true });
    for (let n = 0; n < FILES; n++) await writeFile(join(root, "assets/posts", `${n}.txt`), `${n} `.padEnd(BYTES, `${n}`));

    const release = async (id: string, live?: string) => {
      await writeFile(join(root, "assets/posts/0.txt"), id.padEnd(BYTES, id));
      const before = endpoint.counters();
      const began = performance.now();
      const { recorded } = await uploadAssets(
        objects,
        LOCATIONS,
        inspected(root),
        { deploymentId: id, releaseId: id, live },
        () => undefined,
      );
      const ms = performance.now() - began;
      const calls = Object.entries(endpoint.counters()).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
      const asked = calls.filter(([, count]) => count > 0);
      return {
        ...recorded,
        ms,
        requests: asked.reduce((sum, [, count]) => sum + count, 0),
        asked: asked.map((one) => one.join(" ")).join(", "),
      };
    };
    try {
      const first = await release("dep_first");
      const lines: Line[] = [];
      for (const [what, live] of [
        ["one changed, all uploaded", undefined],
        ["one changed, beside what is live", first.manifest],
      ] as const) {
        const { ms, requests, bytes, asked } = await release(`dep_${what}`, live);
        lines.push({ bench: "public", what: `${FILES} public files, ${what}`, value: ms, unit: "ms" });
        lines.push({ bench: "public", what: "  requests", value: requests, unit: "requests", note: asked });
        lines.push({ bench: "public", what: "  uploaded", value: bytes, unit: "bytes" });
      }
      return lines;
    } finally {
      clients.destroy();
      await endpoint.close();
    }
  });
