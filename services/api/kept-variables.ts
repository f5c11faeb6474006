import type { Context } from "hono";
import type * as z from "zod";
import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { ACTIONS_KEY, givenVariables } from "../../blueprint/site-resources.ts";
import type { ManyVariables, OneVariable } from "../../client/contract.ts";
import type { EnvironmentCommand } from "../../domain/environment/commands.ts";
import { isChanged } from "../../domain/projections/changed-variables.ts";
import { fingerprintOf } from "../../engine/aws/site-document.ts";
import type { Because } from "../../engine/log/execute.ts";
import { commandOf, type Env } from "./caller.ts";
import { look } from "./look.ts";
import type { Ports } from "./ports.ts";
import { Problem, refused } from "./problem.ts";
import { checkSize, nameOf, noted, type Values, variableSecret } from "./variable-secret.ts";

/** The variables of environments, in their secrets and in the log. */
export const keptVariables = (ports: Ports) => {
  const { aggregates, config, views } = ports;
  const secret = variableSecret(ports);
  const floorOf = async ({ site, environment }: SiteConfig): Promise<number> => {
    const { state } = await aggregates.environment.load(site, environment);
    return Math.max(0, ...[...state.variables.values()].map(({ revision }) => revision));
  };
  /** The names in what a command wrote, now or when it came before. */
  const give = async (place: SiteConfig, command: EnvironmentCommand, because: Because): Promise<string[]> => {
    const { events, refusal } = await aggregates.environment.execute(place.site, place.environment, command, because);
    if (refusal !== undefined) throw refused(`The variables of ${nameOf(place)} cannot be changed`, refusal);
    return events.map(({ body }) => (body as { name: string }).name);
  };
  /** Repeated after others changed the same, a request must not undo that. */
  const earlier = (place: SiteConfig, because: Because) => give(place, { type: "SetVariables", variables: [] }, because);

  return {
    /** Why it is done. What stands for the body in the key's row is keyed: a plain digest would give a short value away. */
    because: async (context: Context<Env>, place: SiteConfig): Promise<Because> => {
      const { ledger } = await secret.read(place);
      const own = ledger ?? (await secret.change(place, await floorOf(place), () => undefined)).ledger;
      return commandOf(context, views, (body) => fingerprintOf(own, "", body));
    },

    /** First the secret, then the events: the log tells of no value that is not there. Repeated, it writes what is missing. */
    set: async (place: SiteConfig, given: Values, because: Because): Promise<string[]> => {
      const before = await earlier(place, because);
      if (before.length > 0) return before;
      const floor = await floorOf(place);
      const { ledger } = await secret.change(place, floor, (held) => {
        const news = Object.keys(given).filter((name) => held.values[name] !== given[name] || !Object.hasOwn(held.ledger.set, name));
        if (news.length === 0) return undefined;
        const values = { ...held.values, ...given };
        checkSize(place, config, values);
        return { values, ledger: noted(held.ledger, "set", news) };
      });
      const variables = Object.entries(given).map(([name, value]) => ({
        name,
        fingerprint: fingerprintOf(ledger, name, value),
        revision: ledger.set[name] ?? ledger.revision,
      }));
      return give(place, { type: "SetVariables", variables }, because);
    },

    remove: async (place: SiteConfig, name: string, because: Because): Promise<string[]> => {
      const before = await earlier(place, because);
      if (before.length > 0) return before;
      const floor = await floorOf(place);
      const { ledger } = await secret.change(place, floor, (held) => {
        if (!Object.hasOwn(held.values, name)) return undefined;
        const { [name]: _, ...values } = held.values;
        return { values, ledger: noted(held.ledger, "removed", [name]) };
      });
      const revision = Object.hasOwn(ledger.removed, name) ? ledger.removed[name] : undefined;
      if (revision === undefined)
        throw new Problem(
          404,
          "variable.unknown",
          `There is no variable ${name.slice(0, 128)} in ${nameOf(place)}. List them with: shiplog env ls.`,
        );
      return give(place, { type: "RemoveVariable", name, revision }, because);
    },

    /** First the event, then the values: none is given out without a record. */
    values: async (place: SiteConfig, because: Because): Promise<Values> => {
      const { values } = await secret.read(place);
      const own = Object.entries(values).filter(([name]) => place.variables.includes(name) && name !== ACTIONS_KEY);
      await give(place, { type: "RecordVariablesRead", names: own.map(([name]) => name).sort() }, because);
      return Object.fromEntries(own);
    },
  };
};

/** The variables of an environment by name: what is known of each but its value. */
export const listVariables = (ports: Ports) => {
  const see = look(ports);
  const secret = variableSecret(ports);
  return async (place: SiteConfig): Promise<z.infer<typeof ManyVariables>> => {
    const [{ values, ledger }, { variables: known, live: now }] = await Promise.all([secret.read(place), see.environment(place)]);
    const live = now === null ? undefined : await see.deployment(now.deploymentId);
    const given = givenVariables(place);
    const one = (name: string): z.infer<typeof OneVariable> => {
      const declared = given.includes(name);
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      const fingerprint = value === undefined || ledger === null ? null : fingerprintOf(ledger, name, value);
      const last = Object.hasOwn(known, name) ? known[name] : undefined;
      // of another value than this one: it came otherwise since, or its event is not written yet
      const said = last?.fingerprint === fingerprint ? last : undefined;
      const changed =
        live && (isChanged(live, name, declared ? fingerprint : null) ?? (last && (said === undefined || last.at > live.queuedAt)));
      return {
        name,
        declared,
        value: value === undefined ? "none" : value === "" ? "empty" : "set",
        fingerprint,
        at: said?.at ?? null,
        by: said?.actor ?? null,
        changed: changed ?? null,
      };
    };
    const names = new Set([...place.variables, ...Object.keys(values), ...Object.keys(known)]);
    // what was removed and is declared no more is history
    const all = [...names].sort().map(one);
    return { live: live?.id ?? null, variables: all.filter(({ declared, value }) => declared || value !== "none") };
  };
};
