import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import type { PlannedRollback } from "../../client/contract.ts";
import type { Source } from "../../domain/deployment/shapes.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import type { DeploymentView, EnvironmentView } from "../../domain/projections/views.ts";
import { zipSource } from "../../engine/zip/archive.ts";

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
export type Answer = { status: number; body: any; text: string; headers: Headers };
// biome-ignore lint/suspicious/noExplicitAny: as above
export type LoggedEvent = Recorded<{ type: string; v: number; body: any }>;
export type Rolling = { sequence: number; deploymentId: string; previous: string | null; alreadyLive: boolean; version: number };

/** The HTTP API as a program that is not ours would use it: plain requests, plain answers. */
export type ApiClient = ReturnType<typeof apiClient>;

export const apiClient = (url: string, token: string) => {
  const send = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text.startsWith("{") ? JSON.parse(text) : undefined, text, headers: answer.headers };
  };
  const get = (path: string) => send("GET", path);
  const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}) => send("POST", path, body, headers);
  const sure = async (asked: Promise<Answer>) => {
    const answer = await asked;
    if (answer.status >= 300) throw new Error(`the API answered ${answer.status}: ${answer.text}`);
    return answer.body;
  };

  return {
    url,
    send,
    get,
    post,
    /** Puts an app's folder where builds take their source from. */
    upload: async (site: string, folder: string): Promise<Source> => {
      const room = await mkdtemp(join(tmpdir(), "shiplog-flow-source-"));
      try {
        const zip = await zipSource(folder, join(room, "source.zip"));
        const { source, upload } = await sure(post("sources", { site, sha256: zip.sha256Hex, bytes: zip.bytes }));
        if (upload !== null) {
          const put = await fetch(upload.url, { method: "PUT", headers: upload.headers, body: await readFile(join(room, "source.zip")) });
          if (!put.ok) throw new Error(`the source was not taken: ${put.status}`);
        }
        return source;
      } finally {
        await rm(room, { recursive: true, force: true });
      }
    },
    deploy: async (site: string, environment: string, source: Source, more: object = {}): Promise<DeploymentView> =>
      (await sure(post("deployments", { site, environment, source, ...more }, { "idempotency-key": randomUUID() }))).deployment,
    deployment: async (id: string): Promise<DeploymentView> => (await sure(get(`deployments/${id}`))).deployment,
    environment: async (site: string, environment: string): Promise<EnvironmentView & { url: string }> =>
      (await sure(get(`environments/${site}/${environment}`))).environment,
    /** Every event of `deployments/<id>` or `environments/<site>/<environment>`. */
    events: async (of: string, after = 0): Promise<LoggedEvent[]> => {
      const found: LoggedEvent[] = [];
      for (let version = after; ; ) {
        const page = await sure(get(`${of}/events?after=${version}`));
        found.push(...page.events);
        if (page.version === version || page.events.length === 0) return found;
        version = page.version;
      }
    },
    rollback: async (site: string, environment: string, to?: string, more: { force?: boolean; reason?: string } = {}): Promise<Rolling> =>
      sure(post(`environments/${site}/${environment}/rollback`, { ...(to !== undefined && { to }), ...more })),
    /** what a rollback would do */
    rollbackPlan: async (site: string, environment: string): Promise<z.infer<typeof PlannedRollback>> =>
      sure(get(`environments/${site}/${environment}/rollback`)),
    change: async (site: string, environment: string, verb: "pin" | "unpin" | "lock" | "unlock", body: object = {}) =>
      (await sure(post(`environments/${site}/${environment}/${verb}`, body))).environment as EnvironmentView,
  };
};
