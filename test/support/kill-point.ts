import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import type { Clients } from "../../engine/aws/clients.ts";
import type { LocalAws } from "../../local/aws.ts";
import type { Item } from "../../local/endpoint/change-stream.ts";

type Client = Exclude<keyof Clients, "destroy">;

/** One call of an SDK client, e.g. the second `UpdateAlias`. */
type Call = {
  readonly client: Client;
  readonly call: string;
  /** part of what the call is about: a key, a queue, a table, an event */
  readonly about?: string;
};

/** A moment of a run at which the whole process dies, described so that it can be sent to the process that is to die. */
export type KillPoint =
  /** the commit with this event is in the store; nobody was told yet */
  | { readonly kind: "stored"; readonly event: string; readonly nth?: number }
  /** the local DynamoDB has done the first of its two steps of storing the event: its indexes, then the item */
  | { readonly kind: "half stored"; readonly event: string }
  /** the call is about to be sent */
  | (Call & { readonly kind: "before"; readonly nth?: number })
  /** the call was answered, and whoever made it does not know yet; another call never got its answer */
  | (Call & { readonly kind: "after"; readonly nth?: number; readonly unanswered?: Call })
  /** the bus has accepted the event, and delivered what was put together with it and before it */
  | { readonly kind: "on the bus"; readonly event: string }
  /** a file is there */
  | { readonly kind: "file"; readonly path: string };

/** Sees to it that this process dies at the point: by SIGKILL, so that nothing of it can tidy up. */
export const arm = (point: KillPoint, { endpoint, clients, polls }: LocalAws): void => {
  let left = "nth" in point && point.nth !== undefined ? point.nth : 1;
  const hit = (): void => {
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  };

  // messages are taken and removed on connections of their own
  const clientsOf = ({ client }: Call) => (client === "sqs" ? [clients.sqs, polls] : [clients[client]]);

  switch (point.kind) {
    case "stored":
      endpoint.onStream(EVENTS_TABLE, async (records) => {
        for (const { dynamodb } of records) if (JSON.stringify(dynamodb.NewImage?.body).includes(`\\"type\\":\\"${point.event}\\"`)) hit();
      });
      return;
    case "half stored": {
      const { updateIndexes } = dynalite;
      dynalite.updateIndexes = (store, table, before, after, done) =>
        updateIndexes(store, table, before, after, (error) => {
          if (holds(after, point.event)) hit();
          done(error);
        });
      return;
    }
    case "before":
      intercept(clientsOf(point), point, (send) => {
        hit();
        return send();
      });
      return;
    case "after":
      if (point.unanswered !== undefined) intercept(clientsOf(point), point.unanswered, (send) => send().then(() => new Promise(() => {})));
      intercept(clientsOf(point), point, async (send) => {
        const answer = await send();
        hit();
        return answer;
      });
      return;
    case "on the bus":
      endpoint.dropEvents((event) => {
        if (event["detail-type"] === point.event) hit();
        return false;
      });
      return;
    case "file":
      setInterval(() => existsSync(point.path) && hit(), 5);
  }
};

type Done = (error: unknown) => void;
const dynalite = createRequire(import.meta.url)("dynalite/db") as {
  updateIndexes(store: unknown, table: unknown, before: Item | undefined, after: Item | undefined, done: Done): void;
};

/** Whether an item is a commit that has such an event. */
const holds = (item: Item | undefined, event: string): boolean => String(item?.body?.S).includes(`"type":"${event}"`);

/** Does something around every such call. */
const intercept = (
  clients: readonly object[],
  { call, about = "" }: Call,
  act: (send: () => Promise<unknown>) => Promise<unknown>,
): void => {
  type Next = (args: { input: object }) => Promise<unknown>;
  type Middleware = (next: Next, context: { commandName?: string }) => Next;
  const around: Middleware =
    (next, { commandName }) =>
    (args) =>
      commandName === `${call}Command` && subject(args.input).includes(about) ? act(() => next(args)) : next(args);
  for (const client of clients)
    (client as { middlewareStack: { add(middleware: Middleware, at: { step: string }): void } }).middlewareStack.add(around, {
      step: "initialize",
    });
};

/** The parts of a call's input that say what it is about: never its body, which is a stream. */
const subject = (input: object): string => {
  const { Key, QueueUrl, FunctionName, Entries, RequestItems } = input as Record<string, unknown>;
  return JSON.stringify({ Key, QueueUrl, FunctionName, Entries, RequestItems });
};
