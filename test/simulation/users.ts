import { hash } from "node:crypto";
import { type Cloud, secretUrl } from "./aws/cloud.ts";
import { type Place, places, TOKEN } from "./engine/config.ts";
import { api, askForSweep, cutRelease, keepRelease, unkeepRelease } from "./engine/engine.ts";
import { START } from "./world/world.ts";

/** What people ask for. `dropped`: which of all actions are left out, by their number, to find those that matter. */
export type UserOptions = {
  readonly actions: number;
  readonly dropped: ReadonlySet<number>;
  readonly spanMs: number;
  readonly used: readonly Place[];
  /** told of every answer that says that the engine broke */
  heardFault(what: string): void;
};

/** In how many of the worlds anybody listens: it doubles the work. */
const LISTENING = 0.35;

/** How much of what is asked where little is kept is to keep, or to sweep. */
const KEEPING = 0.2;

type Answer = { readonly status: number; readonly text: string };
/** `does`: in place of a request */
type Action = { readonly name: string; readonly path: string; readonly body: object; readonly does?: () => Promise<Answer> };
const names = ["ada", "ben", "cleo"];

/** Several users of several environments, who know of each other's deployments. */
export const users = (cloud: Cloud, { actions, dropped, spanMs, used, heardFault }: UserOptions): void => {
  const { world } = cloud;
  const random = world.random.fork("users");
  const known = new Map<string, string[]>();
  const endpoints: string[] = [];
  const listening = random.chance(world.theme.listening ?? LISTENING);
  const sources = ["one", "two", "three"].map((name) => hash("sha256", name, "hex"));
  for (const { site } of places) for (const sha256 of sources) cloud.objects.write("sources", `sources/${site}/${sha256}.zip`, "zip");

  const { rollbacks = 0, cuts = 0.06 } = world.theme;
  /** Deployments with which a world begins: two must be live before any rollback. */
  const first = rollbacks > 0 ? 3 : 2;
  for (let number = 0; number < actions; number++) {
    // drawn also for those that are dropped: the others stay what they were
    const drawn = random.next() ** 1.5 * spanMs;
    const at = rollbacks === 0 ? drawn : number < first ? drawn / 5 : spanMs / 5 + drawn;
    const own = random.fork(`action ${number}`);
    if (!dropped.has(number)) world.after(at, () => act(number, own));
  }

  function act(number: number, own: typeof random): void {
    const user = own.pick(names);
    const where = own.pick(used);
    const { site, environment } = where;
    const place = `${site}/${environment}`;
    const by = { user, key: `k${number}` };
    const action =
      listening && (number === 0 || (world.theme.listening !== undefined && own.chance(0.3)))
        ? listen()
        : number < first
          ? deploy()
          : choose();
    if (action === undefined) return;
    world.tell(() => `${user} asks: ${action.name} ${place} ${JSON.stringify(action.body).slice(0, 80)}`);
    ask();
    if (world.faults.strikes("request-repeated")) world.after(world.random.spread(1, 60_000), ask);

    function ask(): void {
      world.spawn(
        "api",
        29,
        async () => {
          if (action?.does !== undefined) return action.does();
          const body = JSON.stringify(action?.body);
          const headers = {
            authorization: `Bearer ${TOKEN}`,
            "x-shiplog-actor": user,
            "idempotency-key": `k${number}`,
            "content-type": "application/json",
            "content-length": String(body.length),
          };
          const answer = await api.request(`/v1${action?.path}`, { method: "POST", headers, body });
          return { status: answer.status, text: await answer.text() };
        },
        (outcome) => {
          if (outcome.is !== "done") return;
          if (outcome.value.status >= 500) heardFault(`${action?.name}: ${outcome.value.text.slice(0, 200)}`);
          const { deployment, webhook } = JSON.parse(outcome.value.text) as { deployment?: { id: string }; webhook?: { id: string } };
          if (webhook !== undefined && !endpoints.includes(webhook.id)) endpoints.push(webhook.id);
          const ids = known.get(place) ?? [];
          if (deployment !== undefined && !ids.includes(deployment.id)) known.set(place, [...ids, deployment.id]);
          world.tell(() => `${user} hears: ${outcome.value.status} ${outcome.value.status < 300 ? "" : outcome.value.text.slice(0, 160)}`);
        },
      );
    }

    function deploy(): Action {
      const sha256 = own.pick(sources);
      const source = { key: `sources/${site}/${sha256}.zip`, sha256, bytes: 3 };
      return { name: "deploy", path: "/deployments", body: { site, environment, source } };
    }

    function listen(): Action {
      const kind = own.chance(0.7) ? "standard" : "slack";
      return { name: "listen", path: "/webhooks", body: { kind, url: secretUrl(`${number}`) } };
    }

    function askEndpoint(): Action {
      const what = own.pick(["enable", "remove", "rotate", "test"]);
      return { name: `${what} webhook`, path: `/webhooks/${own.pick(endpoints)}/${what}`, body: {} };
    }

    function choose(): Action | undefined {
      if (listening && own.chance(0.1)) return endpoints.length === 0 ? listen() : askEndpoint();
      const ids = known.get(place) ?? [];
      const at = `/environments/${place}`;
      if (world.keep !== undefined && own.chance(KEEPING)) return keepOrSweep();
      if (rollbacks > 0 && own.chance(rollbacks)) return rollBack();
      const roll = own.next();
      if (roll < cuts) return ids.length === 0 ? undefined : cut(own.pick(ids));
      if (roll < 0.5) return deploy();
      if (roll < 0.62) return rollBack();
      if (roll < 0.74)
        return ids.length === 0
          ? undefined
          : { name: "cancel", path: `/deployments/${own.chance(0.7) ? ids.at(-1) : own.pick(ids)}/cancel`, body: {} };
      if (roll < 0.82) return ids.length === 0 ? undefined : { name: "retry", path: `/deployments/${own.pick(ids)}/retry`, body: {} };
      if (roll < 0.86) return { name: "pin", path: `${at}/pin`, body: { reason: "to look at it" } };
      if (roll < 0.92) return { name: "unpin", path: `${at}/unpin`, body: {} };
      if (roll < 0.96)
        return {
          name: "lock",
          path: `${at}/lock`,
          body: { reason: "a sale", until: new Date(START + own.between(0, 2 * spanMs)).toISOString() },
        };
      return { name: "unlock", path: `${at}/unlock`, body: { force: own.chance(0.7) } };

      function cut(id: string): Action {
        const body = { deployment: id };
        return { name: "cut off", path: at, body, does: () => cutRelease(where, id, by) };
      }

      function keepOrSweep(): Action {
        const body = { deployment: own.pick(ids.length > 0 ? ids : [""]) };
        const what = own.pick(["keep", "keep", "unkeep", "sweep", "roll back", "roll back"]);
        // the oldest may be gone by then
        if (what === "roll back") return { name: what, path: `${at}/rollback`, body: ids[0] === undefined ? {} : { to: ids[0] } };
        const does = (): Promise<Answer> =>
          what === "sweep" || ids.length === 0
            ? askForSweep(where, by)
            : (what === "keep" ? keepRelease : unkeepRelease)(where, body.deployment, by);
        return { name: what, path: at, body, does };
      }

      function rollBack(): Action {
        return { name: "roll back", path: `${at}/rollback`, body: own.chance(0.4) && ids.length > 0 ? { to: own.pick(ids) } : {} };
      }
    }
  }
};
