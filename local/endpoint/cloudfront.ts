import { createHash } from "node:crypto";
import { join } from "node:path";
import { ACCOUNT, AwsError, type AwsRequest, type AwsResponse, type AwsService } from "../http.ts";
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
const MAX_PATHS = 3000;

/** CloudFront's invalidations; any distribution id exists. Caches listen in this process. */
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
    if (same) return xml(201, invalidationXml(same));
    const id = `I${createHash("sha256").update(`${distributionId}\n${batch.callerReference}`).digest("hex").slice(0, 13).toUpperCase()}`;
    const created: Kept = { id, distributionId, ...batch, createTime: new Date().toISOString(), completed: false };
    file.value.push(created);
    file.save();
    const answer = xml(201, invalidationXml(created));
    void complete(created);
    return answer;
  }

  function get(distributionId: string, id: string): AwsResponse {
    const found = file.value.find((one) => one.distributionId === distributionId && one.id === id);
    if (!found) throw new AwsError("NoSuchInvalidation", 404, "The specified invalidation does not exist.");
    return xml(200, invalidationXml(found));
  }

  function list(distributionId: string, query: URLSearchParams): AwsResponse {
    const newestFirst = file.value.filter((one) => one.distributionId === distributionId).reverse();
    const marker = query.get("Marker") ?? "";
    const from = marker ? newestFirst.findIndex(({ id }) => id === marker) + 1 : 0;
    const most = Number(query.get("MaxItems") ?? 100);
    const shown = newestFirst.slice(from, from + most);
    const truncated = from + most < newestFirst.length;
    const items = shown.map(
      (one) => `<InvalidationSummary>${tag("Id", one.id)}${tag("CreateTime", one.createTime)}${status(one)}</InvalidationSummary>`,
    );
    const next = truncated ? tag("NextMarker", shown.at(-1)?.id ?? "") : "";
    const head = `${tag("Marker", marker)}${next}${tag("MaxItems", String(most))}${tag("IsTruncated", String(truncated))}`;
    const listed = `${head}${tag("Quantity", String(items.length))}<Items>${items.join("")}</Items>`;
    return xml(200, `<InvalidationList xmlns="${NAMESPACE}">${listed}</InvalidationList>`);
  }

  return {
    async service(request: AwsRequest) {
      const [, , resource, distributionId, sub, id] = request.path.split("/").map(decodeURIComponent);
      if (resource === "distribution" && distributionId) {
        if (sub === "invalidation" && request.method === "POST" && !id) return create(distributionId, request.body.toString("utf8"));
        if (sub === "invalidation" && request.method === "GET") return id ? get(distributionId, id) : list(distributionId, request.query);
        if (sub === undefined && request.method === "GET") return xml(200, distributionXml(distributionId), { etag: "E1LOCAL" });
      }
      throw new AwsError("NotImplemented", 501, `The local CloudFront has no ${request.method} ${request.path}.`);
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

function invalidationXml(invalidation: Kept): string {
  const { id, createTime, callerReference, paths } = invalidation;
  const items = paths.map((path) => tag("Path", path)).join("");
  const batch = `<Paths>${tag("Quantity", String(paths.length))}<Items>${items}</Items></Paths>${tag("CallerReference", callerReference)}`;
  const inner = `${tag("Id", id)}${status(invalidation)}${tag("CreateTime", createTime)}<InvalidationBatch>${batch}</InvalidationBatch>`;
  return `<Invalidation xmlns="${NAMESPACE}">${inner}</Invalidation>`;
}

function distributionXml(id: string): string {
  const arn = tag("ARN", `arn:aws:cloudfront::${ACCOUNT}:distribution/${id}`);
  const head = `${tag("Id", id)}${arn}${tag("Status", "Deployed")}${tag("LastModifiedTime", "2026-01-01T00:00:00Z")}`;
  const config = `<DistributionConfig>${tag("CallerReference", id)}${tag("Comment", "")}${tag("Enabled", "true")}</DistributionConfig>`;
  const counts = tag("InProgressInvalidationBatches", "0");
  return `<Distribution xmlns="${NAMESPACE}">${head}${counts}${tag("DomainName", "localhost")}${config}</Distribution>`;
}

const status = ({ completed }: Kept): string => tag("Status", completed ? "Completed" : "InProgress");
const tag = (name: string, text: string): string => `<${name}>${escapeXml(text)}</${name}>`;
const xml = (statusCode: number, body: string, headers: Record<string, string> = {}): AwsResponse => ({
  status: statusCode,
  headers: { "content-type": "text/xml", ...headers },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
});
