import { Agent, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import type { Answer, LoadPlan } from "./load.ts";

/** Sends requests at a steady rate, whatever becomes of them: a slow answer never slows the load down. Runs in a thread of its own. */
const { url, targets, perSecond } = workerData as LoadPlan;
const port = parentPort;
if (port === null) throw new Error("load-worker.ts runs as a worker thread");

const agent = new Agent({ keepAlive: true, maxSockets: 128 });
const TIMEOUT_MS = 30_000;
const TELL_MS = 200;
/** As a browser says it: an image is made as the smallest format that is known, which also costs the function least. */
const ACCEPT = "text/html,image/avif,image/webp,*/*";
let answers: Answer[] = [];
let underWay = 0;
let next = 0;
let stopping = false;

const begun = performance.now();
let sent = 0;
const ticker = setInterval(() => {
  for (const due = ((performance.now() - begun) / 1_000) * perSecond; sent < due; sent++) send();
}, 5);
const teller = setInterval(tell, TELL_MS);
port.on("message", () => {
  stopping = true;
  clearInterval(ticker);
  finish();
});

function send(): void {
  const target = targets[next++ % targets.length];
  if (target === undefined) return;
  const start = Date.now();
  underWay += 1;
  const done = (answer: Pick<Answer, "status" | "release" | "sequence" | "named" | "error">): void => {
    answers.push({ kind: target.kind, path: target.path, expected: target.status, start, ms: Date.now() - start, ...answer });
    underWay -= 1;
    if (stopping) finish();
  };
  const failed = (error: string): void => done({ status: 0, release: null, sequence: 0, named: null, error });
  const asked = request(
    new URL(target.path, url),
    { agent, timeout: TIMEOUT_MS, headers: { "user-agent": "shiplog-demo", accept: ACCEPT } },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", (error) => failed(error.message));
      response.once("end", () => {
        const { statusCode = 0, headers } = response;
        done({
          status: statusCode,
          release: header(headers["x-shiplog-deployment"]),
          sequence: Number(header(headers["x-shiplog-sequence"]) ?? 0),
          named: nameIn(Buffer.concat(chunks), headers["content-type"]),
          error: null,
        });
      });
    },
  );
  asked.once("timeout", () => asked.destroy(new Error(`no answer within ${TIMEOUT_MS / 1_000} s`)));
  asked.once("error", (error) => failed(error.message));
  asked.end();
}

/** The release that a page or a JSON answer says it was rendered by, where it says so. */
function nameIn(body: Buffer, contentType = ""): string | null {
  if (!/html|json/.test(contentType)) return null;
  return /(?:data-release="|"release":")(dep_\w{26})"/.exec(body.toString("utf8"))?.[1] ?? null;
}

function header(value: string | string[] | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function tell(): void {
  if (answers.length > 0) port?.postMessage(answers);
  answers = [];
}

function finish(): void {
  if (underWay > 0) return;
  clearInterval(teller);
  tell();
  agent.destroy();
  port?.postMessage("done");
  port?.close();
}
