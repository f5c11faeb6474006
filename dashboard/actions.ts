import { html } from "hono/html";
import type { z } from "zod";
import type { Client } from "../client/client.ts";
import type { PlannedRollback } from "../client/contract.ts";
import { must } from "./engine.ts";
import { comparePath, deploymentPath, pathOf } from "./environments.ts";
import type { Screen } from "./layout.ts";
import { command, type Html, said, shortId } from "./words.ts";

export type Place = { readonly site: string; readonly environment: string };

/** Something that a person can have done: what it will do, its form, and the same as a command. */
export type Asked = {
  readonly title: string;
  /** where the form goes */
  readonly path: string;
  /** where one goes that changes their mind */
  readonly back: string;
  readonly does: Html;
  readonly cli: string;
  readonly button: string;
  /** what is sent along besides the reason */
  readonly fields?: Readonly<Record<string, string>>;
  readonly reason: "required" | "optional" | "none";
  /** what may be asked for besides, as a box to tick */
  readonly box?: { readonly name: string; readonly words: string };
};

/**
 * One confirmation. Nobody fills in a form that is going to be refused.
 *
 * @param key of the command: the form sent twice is one command
 */
export const confirmation = (asked: Asked, key: string, { canAct }: Pick<Screen, "canAct">): Html => {
  const { title, path, back, does, cli, button, fields = {}, reason, box } = asked;
  if (!canAct) return html`<h1>${title}</h1><p role="alert">This token may look, and change nothing.</p><p><a href="${back}">Back</a></p>`;
  const hidden = Object.entries({ ...fields, key }).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);
  const why =
    reason === "none"
      ? ""
      : html`<p><label for="reason">Why</label> <input id="reason" name="reason" maxlength="500"${reason === "required" ? html` required` : ""} autofocus></p>`;
  return html`<section class="confirm"><h1>${title}</h1>${does}<form method="post" action="${path}">${hidden}${why}${box === undefined ? "" : html`<p><input id="${box.name}" name="${box.name}" type="checkbox" value="yes"> <label for="${box.name}">${box.words}</label></p>`}<p class="row"><button class="main">${button}</button> <a class="button" href="${back}">Leave it</a></p></form><p class="soft">The same from a terminal: ${command(cli)}</p></section>`;
};

export const ENVIRONMENT_VERBS = ["pin", "unpin", "lock", "unlock"] as const;
export type EnvironmentVerb = (typeof ENVIRONMENT_VERBS)[number];
const DOES: Readonly<Record<EnvironmentVerb, string>> = {
  pin: "Nothing goes live by itself until it is unpinned. Deployments are built, checked and held.",
  unpin: "What is held goes live, if it is newer than what is live.",
  lock: "Everybody else's deployments and rollbacks are refused until it is unlocked.",
  unlock: "Others may deploy and roll back again.",
};
const TITLES: Readonly<Record<EnvironmentVerb, string>> = { pin: "Pin", unpin: "Unpin", lock: "Lock", unlock: "Unlock" };

export const askToChange = (verb: EnvironmentVerb, place: Place): Asked => ({
  title: `${TITLES[verb]} ${place.site} / ${place.environment}`,
  path: `${pathOf(place)}/${verb}`,
  back: pathOf(place),
  does: html`<p>${DOES[verb]}</p>`,
  cli: `shiplog ${verb} --site ${place.site} --env ${place.environment}${verb === "pin" || verb === "lock" ? " --reason <why>" : ""}`,
  button: TITLES[verb],
  reason: verb === "pin" || verb === "lock" ? "required" : "none",
  ...(verb === "unlock" && { box: { name: "force", words: "Also where somebody else holds it; the log says so" } }),
});

type Plan = NonNullable<z.infer<typeof PlannedRollback>["plan"]>;

/** @throws Refused. A plan that is refused is a page that says why. */
export const askToRollBack = async (client: Client, place: Place, to: string | undefined): Promise<Asked | { readonly no: string }> => {
  const { plan, refusal } = await must(client.rollbackPlan(place.site, place.environment, to));
  if (plan === null) return { no: refusal?.message ?? "There is nothing to go back to." };
  return {
    title: `Roll back ${place.site} / ${place.environment}`,
    path: `${pathOf(place)}/rollback`,
    back: pathOf(place),
    does: planned(plan),
    cli: `shiplog rollback ${plan.to.deploymentId} --site ${place.site} --env ${place.environment}`,
    button: `Roll back to #${plan.to.sequence}`,
    fields: { from: plan.from.deploymentId, to: plan.to.deploymentId },
    reason: "optional",
  };
};

const planned = ({ from, to, skipped, caution }: Plan): Html => {
  const release = ({ deploymentId, sequence, commit }: Plan["to"]): Html =>
    html`<a href="${deploymentPath(deploymentId)}">#${sequence}</a> ${commit === null ? shortId(deploymentId) : html`<span class="sha">${commit.sha.slice(0, 7)}</span> ${said(commit.message?.split("\n")[0] ?? "", 100)}`}`;
  return html`<dl><dt>From</dt><dd>${release(from)}${from.goingLive ? " (going live at this moment)" : ""}</dd><dt>To</dt><dd>${release(to)}</dd></dl>${skipped.map(
    ({ deploymentId, sequence, why }) => html`<p class="soft">Passed over: #${sequence} ${shortId(deploymentId)}, ${said(why)}</p>`,
  )}${caution === null ? "" : html`<p class="reason">${said(caution.why)}</p>`}<p><a href="${comparePath(from.deploymentId, to.deploymentId)}">Compare the two</a></p><p>Nothing is built. The environment is pinned by it: nothing goes live by itself until it is unpinned.</p>`;
};

/** @param path where the form goes @param address of the release, where it has one */
export const askToCut = (place: Place, id: string, path: string, address: number | undefined): Asked => ({
  title: `Cut ${shortId(id)} off`,
  path,
  back: pathOf(place),
  does: html`<p>Nobody is sent to ${address === undefined ? "it" : html`<span class="sha">r-${address}</span> of ${place.site} / ${place.environment}`} any more: what its open pages ask for is answered by what is live. Only a rollback brings it back.</p>`,
  cli: `shiplog skew cut ${id}`,
  button: "Cut it off",
  reason: "optional",
});

export const askToCancel = (id: string): Asked => ({
  title: `Cancel ${shortId(id)}`,
  path: `${deploymentPath(id)}/cancel`,
  back: deploymentPath(id),
  does: html`<p>Its build is stopped, and nothing of it goes live.</p>`,
  cli: `shiplog cancel ${id}`,
  button: "Cancel it",
  reason: "optional",
});

export const askToRetry = (id: string): Asked => ({
  title: `Retry ${shortId(id)}`,
  path: `${deploymentPath(id)}/retry`,
  back: deploymentPath(id),
  does: html`<p>A new deployment of the same source. What was built is not built again.</p>`,
  cli: `shiplog retry ${id}`,
  button: "Retry it",
  reason: "optional",
});
