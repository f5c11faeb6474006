import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Release } from "../../local/edge/answer.ts";
import { loadOrCreateCertificate } from "../../local/edge/certificate.ts";
import { type Edge, type EdgeOptions, startEdge } from "../../local/edge/edge.ts";
import type { FunctionEvent } from "../../local/edge/function-event.ts";

type Invoked = Awaited<ReturnType<EdgeOptions["invoke"]>>;

/** An edge whose AWS is this object: a test sets what is live and what functions answer, and reads what they were given. */
export type StubEdge = Edge & {
  ca: string;
  live: Release | undefined;
  files: Map<string, { status: number; headers: Record<string, string>; body: Buffer }>;
  events: { role: string; event: FunctionEvent }[];
  manifestReads: string[];
  /** Default: 200 naming the role. */
  function(role: string, event: FunctionEvent): Promise<Invoked> | Invoked;
};

export const BEHAVIORS = [
  { pattern: "_next/image*", origin: "imageOptimizer" },
  { pattern: "*", origin: "default" },
  { pattern: "_next/*", origin: "s3" },
  { pattern: "docs/*", origin: "s3" },
  { pattern: "robots.txt", origin: "s3" },
];

/** What an `invoke` gives for a function that returned `result` under the alias of release 7. */
export const returned = (result: unknown, description = "seq=7 dep=dep_7"): Invoked => ({
  payload: Buffer.from(JSON.stringify(result)),
  description,
});

export async function startStubEdge(): Promise<StubEdge> {
  const dir = mkdtempSync(join(tmpdir(), "stub-edge-"));
  const certificate = await loadOrCreateCertificate(dir);
  rmSync(dir, { recursive: true });
  const stub: Omit<StubEdge, keyof Edge> = {
    ca: certificate.cert,
    live: { deploymentId: "dep_7", sequence: 7 },
    files: new Map(),
    events: [],
    manifestReads: [],
    function: (role) => returned({ statusCode: 200, headers: {}, body: `from ${role}` }),
  };
  const edge = await startEdge({
    certificate,
    live: () => stub.live,
    manifest: async (deploymentId) => {
      stub.manifestReads.push(deploymentId);
      return deploymentId === "dep_lost" ? undefined : { behaviors: BEHAVIORS };
    },
    invoke: async (role, event) => {
      stub.events.push({ role, event: event as FunctionEvent });
      return stub.function(role, event as FunctionEvent);
    },
    asset: async (key, range) => {
      const file = stub.files.get(key);
      if (file && range === "bytes=999-")
        return { status: 416, headers: { "content-range": `bytes */${file.body.length}` }, body: Buffer.alloc(0) };
      if (file && range) return { status: 206, headers: { ...file.headers, "Content-Range": range }, body: file.body.subarray(0, 2) };
      return file;
    },
  });
  return Object.assign(stub, edge);
}
