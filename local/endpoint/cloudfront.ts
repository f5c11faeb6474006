import { createHash } from "node:crypto";
import { join } from "node:path";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from "../http.ts";
import { openJsonFile } from "./json-file.ts";
import { escapeXml, unescapeXml } from "./wire.ts";

export type Invalidation = {
  readonly id: string;
  readonly distributionId: string;
  readonly callerReference: string;
  readonly paths: readonly string[];
};
/** Empties a cache; the invalidation is `Completed` when its promise resolves. */
export type InvalidationListener = (invalidation: Invalidation) => void | Promise<void>;

export type CloudFront = {
  readonly service: AwsService;
  onInvalidation(listener: InvalidationListener): () => void;
};

type Kept = Invalidation & { createTime: string; completed: boolean };

const NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
/** The path of a distribution's invalidations. */
export const INVALIDATIONS = /^\/2020-05-31\/distribution\/([^/]+)\/invalidation\/?$/;
const MAX_PATHS = 3000;

export const isListing = (method: string, path: string): boolean => method === "GET" && /^\/2020-05-31\/distribution\/?$/.test(path);
/** The sites' CDN is an edge of this process. */
const NO_DISTRIBUTIONS: AwsResponse = {
  status: 200,
  headers: { "content-type": "text/xml" },
  body: `<?xml version="1.0" encoding="UTF-8"?><DistributionList xmlns="${NAMESPACE}"><Marker></Marker><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></DistributionList>`,
};

/** CloudFront, as far as the creation of invalidations goes; any distribution id may be named, and none is listed. Caches listen in this process. */
export function openCloudFront(dataDir: string): CloudFront {
  const file = openJsonFile<Kept[]>(join(dataDir, "invalidations.json"), []);
  for (const kept of file.value) kept.completed = true; // a cache in memory did not outlive the process that was to empty it
  const listeners = new Set<InvalidationListener>();

  async function complete(invalidation: Kept): Promise<void> {
    const { id, distributionId, callerReference, paths } = invalidation;
    try {
      await Promise.all([...listeners].map((listen) => listen({ id, distributionId, callerReference, paths })));
      invalidation.completed = true;
      file.save();
    } catch (error) {
      console.error(`local endpoint: invalidation ${id} of ${paths.join(" ")} stays in progress:`, error);
    }
  }

  function create(distributionId: string, body: string): AwsResponse {
    const batch = parseBatch(body);
    const same = file.value.find((one) => one.distributionId === distributionId && one.callerReference === batch.callerReference);
    if (same && same.paths.join("\n") !== batch.paths.join("\n")) {
      throw new AwsError("InvalidationBatchAlreadyExists", 409, `CallerReference ${batch.callerReference} was used with other paths.`);
    }
    if (same) return shown(same);
    const id = `I${createHash("sha256").update(`${distributionId}\n${batch.callerReference}`).digest("hex").slice(0, 13).toUpperCase()}`;
    const created: Kept = { id, distributionId, ...batch, createTime: new Date().toISOString(), completed: false };
    file.value.push(created);
    file.save();
    const answer = shown(created);
    void complete(created);
    return answer;
  }

  return {
    async service(request: AwsRequest) {
      if (isListing(request.method, request.path)) return NO_DISTRIBUTIONS;
      const [, distributionId] = INVALIDATIONS.exec(request.path) ?? [];
      if (request.method !== "POST" || distributionId === undefined)
        throw new AwsError("NotImplemented", 501, `The local CloudFront has no ${request.method} ${request.path}.`);
      return create(decodeURIComponent(distributionId), request.body.toString("utf8"));
    },
    onInvalidation(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function parseBatch(body: string): { callerReference: string; paths: string[] } {
  const callerReference = unescapeXml(/<CallerReference>([\s\S]*?)<\/CallerReference>/.exec(body)?.[1] ?? "");
  const paths = [...body.matchAll(/<Path>([\s\S]*?)<\/Path>/g)].map(([, path = ""]) => unescapeXml(path));
  const quantity = Number(/<Quantity>(\d+)<\/Quantity>/.exec(body)?.[1]);
  if (!callerReference) throw new AwsError("InvalidArgument", 400, "The invalidation batch has no CallerReference.");
  if (quantity !== paths.length) {
    throw new AwsError(
      "InconsistentQuantities",
      400,
      `The value of Quantity (${quantity}) and the number of paths (${paths.length}) differ.`,
    );
  }
  const wrong = paths.find((path) => !path.startsWith("/"));
  if (wrong !== undefined || paths.length === 0)
    throw new AwsError("InvalidArgument", 400, `A path must begin with "/": ${wrong ?? "none"}.`);
  if (paths.length > MAX_PATHS) throw new AwsError("BatchTooLarge", 413, `A batch may have ${MAX_PATHS} paths.`);
  return { callerReference, paths };
}

function shown({ id, createTime, completed, callerReference, paths }: Kept): AwsResponse {
  const items = paths.map((path) => tag("Path", path)).join("");
  const batch = `<Paths>${tag("Quantity", String(paths.length))}<Items>${items}</Items></Paths>${tag("CallerReference", callerReference)}`;
  const state = tag("Status", completed ? "Completed" : "InProgress");
  const inner = `${tag("Id", id)}${state}${tag("CreateTime", createTime)}<InvalidationBatch>${batch}</InvalidationBatch>`;
  return {
    status: 201,
    headers: { "content-type": "text/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?><Invalidation xmlns="${NAMESPACE}">${inner}</Invalidation>`,
  };
}

const tag = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;
