import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { behaviorsOf } from "../../blueprint/edge-behaviors.ts";
import { liveKey, publicSetOf } from "../../blueprint/edge-table.ts";
import type { Route } from "../../domain/environment/route.ts";
import type { Release } from "../../local/edge/answer.ts";
import { loadOrCreateCertificate } from "../../local/edge/certificate.ts";
import { type Edge, type EdgeOptions, startEdge } from "../../local/edge/edge.ts";
import type { FunctionEvent } from "../../local/edge/function-event.ts";
import type { Invoked } from "../../local/edge/origins.ts";

export const DISTRIBUTION = "EDFDVBD6EXAMPLE";

/** A deployment id that is easy to read: of 7 `dep_000…007`. */
export const release = (number: number): string => `dep_${String(number).padStart(26, "0")}`;

/** The route of a release whose addresses are named after its number: `server7`, `image7`. */
export const routeOf = (number: number, more: Partial<Route> = {}): Route => ({
  v: 1,
  sequence: number,
  address: number,
  release: release(number),
  host: ".lambda-url.eu-west-1.on.aws",
  server: `server${number}`,
  image: `image${number}`,
  files: { set: "0".repeat(16), rows: 0, paths: "" },
  ...more,
});

type Stored = { status: number; headers: Record<string, string>; body: Buffer };

/** An edge whose AWS is this object: a test sets what is live and what functions answer, and reads what they were given. */
export type StubEdge = Edge & {
  ca: string;
  /** what the alias says */
  live: Release | undefined;
  /** of the table, by keys; release 7 with the public files below is live where there is no row of its own */
  rows: Map<string, string>;
  files: Map<string, Stored>;
  /** what was asked for, in order: an address' id, or the role of a behaviour's own origin */
  events: { target: string; event: FunctionEvent }[];
  reads: string[];
  /** Default: 200 naming what was asked for. */
  function(target: string, event: FunctionEvent): Promise<Invoked> | Invoked;
  /** A file of the set that release 7 has. */
  publish(path: string, file: Stored): void;
};

/** What an `invoke` gives for a function that returned `result` under the alias of release 7. */
export const returned = (result: unknown, description = `seq=7 dep=${release(7)}`): Invoked => ({
  payload: Buffer.from(JSON.stringify(result)),
  description,
});

const SET = "7".repeat(16);

export async function startStubEdge(options: Partial<EdgeOptions> = {}): Promise<StubEdge> {
  const dir = mkdtempSync(join(tmpdir(), "stub-edge-"));
  const certificate = await loadOrCreateCertificate(dir);
  rmSync(dir, { recursive: true });
  const published: string[] = [];
  const stub: Omit<StubEdge, keyof Edge> = {
    ca: certificate.cert,
    live: { deploymentId: release(7), sequence: 7 },
    rows: new Map(),
    files: new Map(),
    events: [],
    reads: [],
    function: (target) => returned({ statusCode: 200, headers: {}, body: `from ${target}` }),
    publish: (path, file) => {
      published.push(path);
      stub.files.set(`_public/${SET}/${path}`, file);
    },
  };
  const live = (): string => JSON.stringify(routeOf(7, { files: publicSetOf(SET, published)?.files ?? routeOf(7).files }));
  const edge = await startEdge({
    certificate,
    distribution: DISTRIBUTION,
    behaviors: behaviorsOf({ functions: {} }),
    tableDelayMs: 0,
    table: {
      get: (key) => {
        stub.reads.push(key);
        return stub.rows.get(key) ?? (key === liveKey(DISTRIBUTION) ? live() : undefined);
      },
    },
    live: () => stub.live,
    invoke: async (target, event) => {
      const name = "role" in target ? target.role : target.address;
      stub.events.push({ target: name, event: event as FunctionEvent });
      return stub.function(name, event as FunctionEvent);
    },
    asset: async (key, range) => {
      const file = stub.files.get(key);
      if (file && range === "bytes=999-")
        return { status: 416, headers: { "content-range": `bytes */${file.body.length}` }, body: Buffer.alloc(0) };
      if (file && range) return { status: 206, headers: { ...file.headers, "Content-Range": range }, body: file.body.subarray(0, 2) };
      return file;
    },
    ...options,
  });
  return Object.assign(stub, edge);
}
