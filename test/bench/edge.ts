import { routerSource } from "../../local/edge/router-runtime.ts";
import { type DevelopmentRoom, SITE, withDevelopment } from "./development-room.ts";
import { median, quantile } from "./measure.ts";
import type { Line } from "./report.ts";

const ROLLBACKS = 20;
/** An engine that has just begun runs code for the first time. */
const WARM_UP = 4;
/** Points of presence on AWS see a row seconds after it was written; `shiplog dev` waits a second. */
const DELAYS = [0, 1_000];

/**
 * For information, without a target: what a visitor at the local edge sees of a rollback, with rows that points of presence see at
 * once and a second late; and what a rollback asks of AWS.
 */
export const edge = async (): Promise<readonly Line[]> => {
  const lines: Line[] = [];
  for (const tableDelayMs of DELAYS)
    lines.push(...(await withDevelopment(["production"], (room) => rollbacks(room, tableDelayMs), { tableDelayMs })));
  const bytes = Buffer.byteLength(routerSource());
  return [...lines, { bench: "edge", what: "the router's source (CloudFront takes 10,240)", value: bytes, unit: "bytes" }];
};

const rollbacks = async (room: DevelopmentRoom, delay: number): Promise<Line[]> => {
  const ids = [await live(room), await live(room)];
  const seen: number[] = [];
  const asked: number[] = [];
  for (let n = -WARM_UP; n < ROLLBACKS; n++) {
    const before = requestsOf(room);
    const to = ids[Math.abs(n % 2)] ?? "";
    const began = performance.now();
    const sequence = await rollBack(room, to);
    await firstAnswerOf(room, to);
    if (n >= 0) seen.push(performance.now() - began);
    await room.until(
      () => room.environment("production"),
      ({ type, body }) => type === "ReleaseWentLive" && body.sequence === sequence,
    );
    if (n >= 0) asked.push(requestsOf(room) - before);
    // a visitor must not be shown what was live before the last one
    await new Promise((resolve) => setTimeout(resolve, delay * 1.5));
    await rest(room);
  }
  const named = `rollback, API call → first visitor's answer, rows ${delay} ms late`;
  const range = [Math.min(...seen), Math.max(...seen)] as const;
  return [
    { bench: "edge", what: `${named}, p50`, value: median(seen), unit: "ms", range, note: `${ROLLBACKS} runs` },
    { bench: "edge", what: `${named}, p95`, value: quantile(seen, 0.95), unit: "ms" },
    ...(delay === 0 ? [{ bench: "edge", what: "requests to AWS a rollback, all consumers", value: median(asked), unit: "requests" }] : []),
  ];
};

/** Until what followed from the last one (rows, news) is done: people roll back an engine at rest. */
const rest = async (room: DevelopmentRoom): Promise<void> => {
  for (let before = -1; before !== requestsOf(room); ) {
    before = requestsOf(room);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
};

const live = async (room: DevelopmentRoom): Promise<string> => {
  const build = await room.build();
  await room.request("production", build);
  await room.until(
    () => room.deployment(build.id),
    ({ type }) => type === "DeploymentSucceeded",
  );
  return build.id;
};

const rollBack = async ({ development: { apiUrl, token } }: DevelopmentRoom, to: string): Promise<number> => {
  const answer = await fetch(`${apiUrl}/v1/environments/${SITE}/production/rollback`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ to }),
  });
  if (answer.status !== 202) throw new Error(`the rollback was answered with ${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { sequence: number }).sequence;
};

const firstAnswerOf = async ({ development }: DevelopmentRoom, id: string): Promise<void> => {
  const url = development.sites[0]?.url ?? "";
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    await answer.arrayBuffer();
    if (answer.headers.get("x-shiplog-deployment") === id) return;
  }
  throw new Error(`no visitor got an answer of ${id} within a minute`);
};

/** Polls of queues go on by themselves, and are no part of a rollback. */
const requestsOf = ({ development }: DevelopmentRoom): number =>
  Object.entries(development.aws.endpoint.counters()).reduce(
    (sum, [name, count]) => (name === "sqs.ReceiveMessage" ? sum : sum + count),
    0,
  );
