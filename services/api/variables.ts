import { type Context, Hono } from "hono";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { ACTIONS_KEY } from "../../blueprint/site-resources.ts";
import { ReadVariables, SetVariables } from "../../client/contract.ts";
import { bodyOf } from "./body.ts";
import type { Env } from "./caller.ts";
import { keptVariables, listVariables } from "./kept-variables.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";
import { nameOf } from "./variable-secret.ts";

type Here = Context<Env, "/:site/:environment/*">;

/** `/v1/environments/:site/:environment/variables`: values come in by bodies alone, and go out by one route that is recorded. */
export const variables = (ports: Ports) => {
  const see = look(ports);
  const kept = keptVariables(ports);
  const list = listVariables(ports);
  const placeOf = (context: Here): SiteConfig => see.place(context.req.param("site") ?? "", context.req.param("environment") ?? "");

  return new Hono<Env>()
    .get("/:site/:environment/variables", async (context) => context.json(await list(placeOf(context))))

    .put("/:site/:environment/variables", async (context) => {
      const place = placeOf(context);
      const { values } = await bodyOf(context, SetVariables);
      for (const [name, value] of Object.entries(values)) check(place, name, value);
      const changed = await kept.set(place, values, await kept.because(context, place));
      return context.json({ changed, ...(await list(place)) });
    })

    .delete("/:site/:environment/variables/:name", async (context) => {
      const place = placeOf(context);
      const name = context.req.param("name");
      if (name === ACTIONS_KEY)
        throw new Problem(
          409,
          "variable.needed",
          `${name} cannot be removed from ${nameOf(place)}: no build works without it. Set another value in its place.`,
        );
      const changed = await kept.remove(place, name, await kept.because(context, place));
      return context.json({ changed, ...(await list(place)) });
    })

    .post("/:site/:environment/variables/read", async (context) => {
      const place = placeOf(context);
      await bodyOf(context, ReadVariables);
      const { token } = context.get("caller");
      if (!place.valuesReadableBy.includes(token))
        throw new Problem(
          403,
          "variables.closed",
          `The token ${token} may not read the values of ${nameOf(place)}: the environment names those that may in "valuesReadableBy" of the sites file.`,
        );
      // each time is an event of its own, also with a key that came before
      const because = await kept.because(context, place);
      const values = await kept.values(place, { ...because, cause: `${because.cause}/${context.get("caller").request}` });
      context.header("cache-control", "no-store");
      return context.json({ values });
    });
};

/** A value goes to what is declared alone: what nothing asks for would lie there unseen. @throws Problem */
const check = (place: SiteConfig, name: string, value: string): void => {
  if (name === ACTIONS_KEY) {
    if (Buffer.from(value, "base64").length === 32) return;
    const how = "must be 32 random bytes in base64, as of: openssl rand -base64 32";
    throw new Problem(400, "body.invalid", `The request is not valid. ${name} ${how}.`);
  }
  if (place.variables.includes(name)) return;
  const known = place.variables.length === 0 ? "It declares none" : `It declares ${place.variables.join(", ")}`;
  throw new Problem(
    409,
    "variable.undeclared",
    `${place.site} declares no variable ${name}. ${known}: add the name to "variables" of the site in the sites file, then deploy the infrastructure again, or start \`shiplog dev\` again.`,
  );
};
