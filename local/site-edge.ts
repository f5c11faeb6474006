import { GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { behaviorsOf } from "../blueprint/edge-behaviors.ts";
import { functionOf, siteResources } from "../blueprint/site-resources.ts";
import type { Clients } from "../engine/aws/clients.ts";
import type { LocalAws } from "./aws.ts";
import { type Edge, startEdge } from "./edge/edge.ts";
import { unlessThrottled } from "./function-urls.ts";
import { BUCKETS } from "./provision/engine-resources.ts";

/** The edge of one environment, in front of its functions and its files. */
export const startSiteEdge = (
  aws: LocalAws,
  site: string,
  environment: string,
  port: number,
  originKeys: readonly string[],
): Promise<Edge> => {
  const names = siteResources(site, environment);
  return startEdge({
    port,
    certificate: aws.certificate,
    originKeys,
    live: () => {
      const { sequence, deploymentId } = fenceOf(aws.lambda.alias(names.functions.server, names.alias)?.description ?? "");
      return sequence === 0 ? undefined : { deploymentId, sequence };
    },
    distribution: `${site}-${environment}`,
    behaviors: behaviorsOf({ functions: {} }),
    table: { get: () => undefined },
    tableDelayMs: 0,
    invoke: async (target, event) => {
      if ("role" in target)
        return aws.lambda.request(functionOf(site, environment, target.role), names.alias, event).catch(unlessThrottled);
      const found = aws.lambda.functionUrl(target.address);
      if (found === undefined) return { status: 403, body: '{"Message":"Forbidden"}', headers: { "content-type": "application/json" } };
      return aws.lambda.request(found.functionName, found.qualifier, event).catch(unlessThrottled);
    },
    asset: (key, range) => object(aws.clients, `${names.assets}/${key}`, range),
  });
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
