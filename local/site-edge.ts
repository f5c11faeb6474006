import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { Behavior } from "../blueprint/edge-behaviors.ts";
import { functionOf, siteResources } from "../blueprint/site-resources.ts";
import type { Clients } from "../engine/aws/clients.ts";
import type { LocalAws } from "./aws.ts";
import { type Edge, startEdge } from "./edge/edge.ts";
import { unlessThrottled } from "./function-urls.ts";
import { BUCKETS } from "./provision/engine-resources.ts";

export type SiteEdge = {
  readonly site: string;
  readonly environment: string;
  readonly distribution: string;
  readonly behaviors: readonly Behavior[];
  readonly port: number;
  readonly originKeys: readonly string[];
  /** ARN of the table that it looks up, and how long ago its rows are from; milliseconds */
  readonly table: string;
  readonly tableDelayMs: number;
};

/** The edge of one environment, in front of its functions and its files. */
export const startSiteEdge = async (aws: LocalAws, { site, environment, table, ...options }: SiteEdge): Promise<Edge> => {
  const names = siteResources(site, environment);
  const edge = await startEdge({
    ...options,
    certificate: aws.certificate,
    live: () => {
      const { sequence, deploymentId } = fenceOf(aws.lambda.alias(names.functions.server, names.alias)?.description ?? "");
      return sequence === 0 ? undefined : { deploymentId, sequence };
    },
    // the store's own clock is never set
    table: { get: (key, at) => aws.endpoint.keyValueStores.readAsOf(table, key, performance.now() - (Date.now() - at)) },
    invoke: async (target, event) => {
      if ("role" in target)
        return aws.lambda.request(functionOf(site, environment, target.role), names.alias, event).catch(unlessThrottled);
      const found = aws.lambda.functionUrl(target.address);
      if (found === undefined) return { status: 403, body: '{"Message":"Forbidden"}', headers: { "content-type": "application/json" } };
      return aws.lambda.request(found.functionName, found.qualifier, event).catch(unlessThrottled);
    },
    asset: (key, range) => object(aws.clients, `${names.assets}/${key}`, range),
  });
  const forget = aws.endpoint.onInvalidation(({ distributionId, paths }) => {
    if (distributionId === options.distribution) edge.invalidate(paths);
  });
  return {
    ...edge,
    close: async () => {
      forget();
      await edge.close();
    },
  };
};

/** What the alias says of itself; sequence 0 before the first release. */
const fenceOf = (description: string): { sequence: number; deploymentId: string } => {
  const [, sequence = "0", deploymentId = ""] = /^seq=(\d+) dep=(\w+)$/.exec(description) ?? [];
  return { sequence: Number(sequence), deploymentId };
};

const object = async (clients: Clients, Key: string, Range?: string) => {
  const { s3 } = clients;
  try {
    const answer = await s3.send(new GetObjectCommand({ Bucket: BUCKETS.static, Key, ...(Range && { Range }) }));
    const headers: Record<string, string> = {};
    const take = (name: string, value: string | undefined): void => {
      if (value !== undefined) headers[name] = value;
    };
    take("content-type", answer.ContentType);
    take("cache-control", answer.CacheControl);
    take("content-encoding", answer.ContentEncoding);
    take("etag", answer.ETag);
    take("content-range", answer.ContentRange);
    take("last-modified", answer.LastModified?.toUTCString());
    const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    return { status: answer.ContentRange === undefined ? 200 : 206, headers, body };
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 404) return undefined;
    if (status === 416) return { status, headers: { "content-range": `bytes */${await sizeOf(clients, Key)}` }, body: Buffer.alloc(0) };
    throw error;
  }
};

const sizeOf = async ({ s3 }: Clients, Key: string): Promise<number> =>
  (await s3.send(new HeadObjectCommand({ Bucket: BUCKETS.static, Key }))).ContentLength ?? 0;
