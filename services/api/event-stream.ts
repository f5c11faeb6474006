import { type Context, Hono } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { FollowEvents } from "../../client/contract.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { type Fed, openFeed, placeOf } from "../../engine/log/event-feed.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { momentOf } from "./moment.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";
import { sessionOfBearer } from "./session-bearer.ts";

/** Between two looks at the log, and between two signs of life. Milliseconds. */
const LOOK_MS = 500;
const BEAT_MS = 15_000;
/** A reader who takes nothing for so long is gone. Milliseconds. */
const WRITE_MS = 30_000;
/** At once, of all callers: each reads the log twice a second. */
const MOST = 100;

/**
 * `/v1/stream`: the log as it grows, as Server-Sent Events. Where answers come whole (API Gateway), a 501 names what to ask
 * instead.
 */
export const eventStream = (ports: Ports) => {
  let open = 0;
  return new Hono<Env>().get("/", (context) => {
    const { since } = queryOf(context, FollowEvents);
    if (ports.streaming === undefined)
      throw new Problem(
        501,
        "stream.unavailable",
        "No answer can be streamed at this address. Ask GET /v1/events, and again with its `next`.",
      );
    // nobody reads the body of an answer to HEAD, so that it would never end
    if (context.req.method === "HEAD") return context.body(null, 200, { "content-type": "text/event-stream" });
    if (open >= MOST)
      throw new Problem(503, "stream.busy", `${MOST} streams are open, which is as many as this engine has. Ask GET /v1/events.`);
    const feed = openFeed(ports, beginningOf(context, since, ports.clock.now()));
    const { sleep } = ports.streaming;
    open += 1;
    return streamSSE(context, async (stream) => {
      try {
        await follow(stream, feed, { ...ports, sleep, mayGoOn: mayGoOn(ports, context) });
      } catch (error) {
        // it ends, and whoever reads comes again with the last id
        ports.report({ level: "warn", message: "a stream of events was cut off", reason: String(error) });
      } finally {
        open -= 1;
      }
    });
  });
};

/** A reader that was cut off shows the last id that it was given. @throws Problem 400 */
const beginningOf = (context: Context, since: string | undefined, now: number): Parameters<typeof openFeed>[1] => {
  const last = context.req.header("last-event-id") || since;
  if (last === undefined) return positionAt(now);
  return placeOf(last) ?? momentOf(context.req.header("last-event-id") ? "Last-Event-ID" : "since", last);
};

/** A session that is ended is told nothing more. */
const mayGoOn = (ports: Ports, context: Context<Env>) => async (): Promise<boolean> => {
  if (context.get("caller").session === undefined) return true;
  const bearer = context.req.header("authorization")?.replace(/^Bearer +/i, "") ?? "";
  return (await sessionOfBearer(ports, bearer)) !== undefined;
};

type World = Pick<Ports, "clock" | "people"> & { sleep(ms: number): Promise<void>; mayGoOn(): Promise<boolean> };

const follow = async (
  stream: SSEStreamingApi,
  feed: ReturnType<typeof openFeed>,
  { clock, people, sleep, mayGoOn }: World,
): Promise<void> => {
  const isTaken = (written: Promise<unknown>): Promise<boolean> =>
    Promise.race([written.then(() => true), sleep(WRITE_MS).then(() => false)]);
  const beat = (): Promise<boolean> =>
    isTaken(stream.write(`: ${new Date(clock.now()).toISOString()}\nevent: beat\nid: ${feed.here()}\ndata: {}\n\n`));
  const give = async (fed: readonly Fed[]): Promise<void> => {
    for (const { event, id } of fed) await stream.writeSSE({ id, data: await people.inJson(JSON.stringify(event)) });
  };

  if (!(await beat())) return stream.abort();
  let beaten = clock.now();
  while (!stream.aborted) {
    const { fed, more } = await feed.next();
    if (fed.length > 0 && !(await isTaken(give(fed)))) return stream.abort();
    if (clock.now() - beaten >= BEAT_MS) {
      if (!(await mayGoOn())) return;
      if (!(await beat())) return stream.abort();
      beaten = clock.now();
    }
    if (!more) await sleep(LOOK_MS);
  }
};
