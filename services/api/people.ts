import { Hono } from "hono";
import { WithReason } from "../../client/contract.ts";
import { PersonId } from "../../domain/kernel/identity.ts";
import { bodyOf } from "./body.ts";
import { commandOf, type Env } from "./caller.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** `/v1/people`: whose pseudonyms the log has, and how their names are erased. */
export const people = (ports: Ports) =>
  new Hono<Env>()
    .get("/", async (context) => context.json({ people: await ports.people.all() }))
    .post("/:id/forget", async (context) => {
      const { reason } = await bodyOf(context, WithReason);
      const id = context.req.param("id");
      const names = (await ports.people.all()).flatMap((person) => (person.id === id ? [person.name] : []));
      if (names.length === 0 && !(await wasForgotten(ports, id)))
        throw new Problem(404, "person.unknown", `There is no person ${id.slice(0, 64)}. List them with: shiplog people ls.`);
      // written first: who finds a name that is still there although the log says otherwise erases it
      await ports.aggregates.person.execute(id, { type: "ForgetPerson", ...(reason && { reason }) }, await commandOf(context, ports.views));
      for (const name of names) await ports.people.forget(name);
      return context.json({ forgotten: id });
    });

const wasForgotten = async ({ aggregates }: Ports, id: string): Promise<boolean> =>
  PersonId.safeParse(id).success && (await aggregates.person.load(id)).state.forgotten;
