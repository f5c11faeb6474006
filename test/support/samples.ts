import type { Check } from "../../domain/deployment/events.ts";
import type { Artifact, PublishedFunction, Release, Request } from "../../domain/deployment/shapes.ts";
import type { Route } from "../../domain/environment/route.ts";
import type { FunctionState } from "../../engine/aws/functions.ts";

/** Small valid pieces that tests are made of. Each is named after what it is; a test changes only what it is about. */

/** `dep_…01`: the n-th deployment of a test. */
export const deploymentId = (n: number): string => `dep_${n.toString().padStart(26, "0")}`;
export const sessionId = (n: number): string => `ses_${n.toString().padStart(26, "0")}`;
export const webhookId = (n: number): string => `wh_${n.toString().padStart(26, "0")}`;
/** Noon and so many seconds. */
export const at = (second = 0): string => new Date(Date.UTC(2026, 10, 23, 12, 0, second)).toISOString();

export const request = (n: number, change: Partial<Request> = {}): Request => ({
  deploymentId: deploymentId(n),
  site: "web",
  environment: "production",
  source: { key: `sources/${"a".repeat(64)}.zip`, sha256: "a".repeat(64), bytes: 1024 },
  trigger: "cli",
  requestedBy: "ada",
  ...change,
});

export const artifact = (n: number): Artifact => ({ bucket: "shiplog-artifacts", key: `builds/${n}/output.zip` });

export const functions = (n: number): PublishedFunction[] => [
  { role: "revalidation", name: "web-production-revalidation", version: String(n), codeSha256: `revalidation${n}=`, settings: "s1" },
  { role: "server", name: "web-production-server", version: String(n), codeSha256: `server${n}=`, settings: "s1" },
];

/** What Lambda says of a version. */
export const versionOf = (version: string, change: Partial<FunctionState> = {}): FunctionState => ({
  version,
  handler: "index.handler",
  memoryMb: 128,
  timeoutSeconds: 3,
  variables: {},
  codeSha256: "code=",
  bytes: 0,
  revisionId: `r${version}`,
  state: "Active",
  reason: "",
  updating: false,
  updateFailed: null,
  ...change,
});

/** What Lambda says where as many functions run as the account may run at once. */
export const throttled = (): Error => Object.assign(new Error("Rate Exceeded."), { name: "TooManyRequestsException" });

export const release = (n: number): Release => ({
  id: deploymentId(n),
  functions: functions(n),
  manifest: `releases/${deploymentId(n)}/manifest.json`,
});

/** Where the edge sends what is asked of a release that went live with this sequence. */
export const route = (n: number, change: Partial<Route> = {}): Route => ({
  v: 1,
  sequence: n,
  address: n,
  release: deploymentId(n),
  host: ".lambda-url.eu-central-1.on.aws",
  server: `server${n}`,
  image: `image${n}`,
  files: { set: "0".repeat(16), rows: 0 },
  ...change,
});

export const check = (n: number, status = 200): Check => ({
  role: "server",
  function: "web-production-server",
  version: String(n),
  path: "/",
  status,
  ms: 41,
});
export const assets = { uploaded: 12, unchanged: 3, bytes: 90_000, cacheEntries: 4, tags: 2, manifest: "releases/manifest.json" };
