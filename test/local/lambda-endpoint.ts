import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { LambdaClient, type LambdaClientConfig } from "@aws-sdk/client-lambda";
import yazl from "yazl";
import { clientOptions } from "../../local/client-options.ts";
import { functionAddress } from "../../local/function-address.ts";
import { type LocalLambda, type LocalLambdaOptions, startLambda } from "../../local/lambda/lambda.ts";
import { ANY_KEY } from "../support/any-key.ts";

export type Endpoint = {
  lambda: LocalLambda;
  client: LambdaClient;
  connect(config: LambdaClientConfig): LambdaClient;
  lines: string[];
  url: string;
  close(): Promise<void>;
};

export const ROLE = "arn:aws:iam::000000000000:role/any";

/** A local Lambda behind a real HTTP server, and the SDK's own client for it. */
export const startEndpoint = async (dataDir: string, options: Partial<LocalLambdaOptions> = {}): Promise<Endpoint> => {
  const lines: string[] = [];
  const lambda = await startLambda({
    dataDir,
    readObject: async (bucket, key) => {
      throw Object.assign(new Error("no object store here"), { name: "NoSuchKey", bucket, key });
    },
    environment: {},
    functionUrlOf: (id) => functionAddress(id, 4566),
    log: (name, version, line) => lines.push(`${name}:${version} ${line}`),
    ...options,
  });
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const answer = await lambda.handle({
      method: request.method ?? "GET",
      path: (request.url ?? "/").split("?")[0] ?? "/",
      query: url.searchParams,
      headers: request.headers as Record<string, string>,
      body: await buffer(request),
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connect = (config: LambdaClientConfig) => new LambdaClient({ ...clientOptions({ url, credentials: ANY_KEY }), ...config });
  const client = connect({ maxAttempts: 1 });
  return {
    lambda,
    client,
    connect,
    lines,
    url,
    async close() {
      client.destroy();
      await lambda.close();
      server.closeAllConnections();
      server.close();
    },
  };
};

export type File = string | { content: string; mode: number };

/** A zip of the files, the same bytes for the same files; without modes of their own they are plain files. */
export const zip = async (files: Record<string, File>): Promise<Buffer> => {
  const archive = new yazl.ZipFile();
  for (const [name, file] of Object.entries(files)) {
    const { content, mode } = typeof file === "string" ? { content: file, mode: 0o100644 } : file;
    archive.addBuffer(Buffer.from(content), name, { mode, mtime: new Date(2026, 0, 1) });
  }
  archive.end();
  return buffer(archive.outputStream);
};

/** A bundle whose handler is this expression. */
export const bundle = (handler: string, top = "") => zip({ "index.mjs": `${top}\nexport const handler = ${handler};` });

export const link = (target: string): File => ({ content: target, mode: 0o120777 });

export const temporaryFolder = async (): Promise<{ path: string; remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), "shiplog-lambda-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};

/** Waits until the condition holds; fails after half a minute, saying what it waited for. */
export const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) {
    if (await condition()) return;
  }
  throw new Error(`Waited 30 s in vain until ${what}`);
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
