import { unmarshall } from "@aws-sdk/util-dynamodb";
import { EVENTS_TABLE } from "../../blueprint/topology.ts";
import type { Development } from "../../local/development.ts";

/**
 * Where a process is killed:
 * `event:AliasFlipped:2` right after the second such event is in the store;
 * `call:UpdateAlias:1` right after the first such call to AWS was answered, before the engine goes on;
 * `before:PutEvents:3` right before the third such call is made.
 */
export type KillPoint = string;

/** Kills this process, with -9, at that point. Nothing is closed, flushed or told. */
export const armKillPoint = ({ aws }: Development, point: KillPoint): void => {
  const [kind, name, nth = "1"] = point.split(":");
  let left = Number(nth);
  const hit = (seen: string | undefined): boolean => seen === name && --left === 0;
  const die = (): never => {
    process.kill(process.pid, "SIGKILL");
    // the signal comes between two instructions: none of ours may run
    for (;;);
  };

  if (kind === "event") {
    aws.endpoint.onStream(EVENTS_TABLE, async (records) => {
      for (const { dynamodb } of records) {
        const { body = "[]" } = unmarshall((dynamodb?.NewImage ?? {}) as never) as { body?: string };
        for (const { type } of JSON.parse(body) as { type: string }[]) if (hit(type)) die();
      }
    });
    return;
  }
  for (const client of [
    aws.clients.lambda,
    aws.clients.codeBuild,
    aws.clients.s3,
    aws.clients.dynamodb,
    aws.clients.eventBridge,
    aws.clients.sqs,
    aws.polls,
    aws.clients.keyValueStore,
  ])
    (client.middlewareStack.add as (middleware: unknown, options: object) => void)(
      (next: (args: unknown) => Promise<unknown>, { commandName = "" }: { commandName?: string }) =>
        async (args: unknown) => {
          const here = hit(commandName.replace(/Command$/, ""));
          if (here && kind === "before") die();
          const answer = await next(args);
          if (here) die();
          return answer;
        },
      { step: "initialize", name: "killPoint" },
    );
};
