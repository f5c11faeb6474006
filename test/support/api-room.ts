import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineConfig } from "../../blueprint/engine-config.ts";
import { awsClients } from "../../engine/aws/clients.ts";
import { type Engine, engine as makeEngine, systemClock } from "../../engine/wiring/engine.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";

export const TOKEN = "a-long-secret-token";
export const OTHER_TOKEN = "another-long-token";
/** may look, and change nothing */
export const READ_TOKEN = "a-token-that-looks";

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
export type Answer = { status: number; body: any; text: string; headers: Headers };
type Sites = Pick<EngineConfig, "sites"> & Partial<Pick<EngineConfig, "loopbackWebhooks">>;
type Ports = ReturnType<typeof apiPorts>;

export type ApiRoom = Awaited<ReturnType<typeof openApiRoom>>;

/**
 * The API over a local AWS of its own, with the tokens `default`, `other` and `reader`, and alice who asks it.
 * @param trouble puts something between the API and a part of the engine
 */
export async function openApiRoom(config: Sites, trouble: (ports: Ports, engine: Engine) => Ports = (ports) => ports) {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-api-test-"));
  const endpoint = await startEndpoint({ dataDir: folder });
  const clients = awsClients(clientOptions(endpoint));
  await provisionEngine(clients);
  const reported: unknown[] = [];
  const tokens: EngineConfig["tokens"] = {
    other: hash("sha256", OTHER_TOKEN, "hex"),
    default: hash("sha256", TOKEN, "hex"),
    reader: { sha256: hash("sha256", READ_TOKEN, "hex"), scope: "read" },
  };
  const engine = makeEngine({ ...localNames, tokens, ...config }, clients, systemClock, (line) => reported.push(line));
  const app = createApi(trouble(apiPorts(engine), engine));
  /** A body that is text is sent as it is. */
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
    const answer = await app.request(`/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, "x-shiplog-actor": "alice", ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: JSON.parse(text), text, headers: answer.headers };
  };
  return {
    endpoint,
    clients,
    engine,
    app,
    ask,
    tokens,
    /** lines of the engine's log */
    reported,
    close: async (): Promise<void> => {
      clients.destroy();
      await endpoint.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
