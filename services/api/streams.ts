import { Hono } from "hono";
import { AfterVersion } from "../../client/contract.ts";
import { deploymentStream, environmentStream } from "../../domain/kernel/identity.ts";
import { unbroken } from "../../engine/log/chain-broken.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";

/** Commits in one answer: far below what a Lambda may answer with, at 32 KB a commit at most. */
const PAGE = 150;

/** One stream from a version on: `…/deployments/:id/events` and `…/environments/:site/:environment/events`. */
export const streams = (ports: Pick<Ports, "config" | "read" | "views">) => {
  const see = look(ports);
  const read = unbroken(ports.read);

  const page = async (stream: string, after: number) => {
    const commits = await read(stream, after, PAGE);
    return { events: commits.flatMap(eventsOf), version: commits.at(-1)?.version ?? after };
  };

  return new Hono<Env>()
    .get("/deployments/:id/events", async (context) => {
      const { after } = queryOf(context, AfterVersion);
      const id = await see.deploymentId(context.req.param("id"));
      const found = await page(deploymentStream(id), after);
      if (found.events.length === 0) await see.deployment(id);
      return context.json(found);
    })
    .get("/environments/:site/:environment/events", async (context) => {
      const { after } = queryOf(context, AfterVersion);
      const { site, environment } = see.place(context.req.param("site"), context.req.param("environment"));
      return context.json(await page(environmentStream(site, environment), after));
    });
};
