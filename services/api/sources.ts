import { Hono } from "hono";
import { PrepareSource } from "../../client/contract.ts";
import { bodyOf } from "./body.ts";
import type { Env } from "./caller.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** `/v1/sources`: where to put a source; nowhere, if it is there already. */
export const sources = ({ config, sources: kept }: Pick<Ports, "config" | "sources">) =>
  new Hono<Env>().post("/", async (context) => {
    const { site, sha256, bytes } = await bodyOf(context, PrepareSource);
    if (!config.sites.some((place) => place.site === site)) throw new Problem(404, "site.unknown", `There is no site ${site}.`);
    const found = await kept.find(site, sha256);
    return context.json(found === undefined ? await kept.prepare(site, sha256, bytes) : { source: found, upload: null });
  });
