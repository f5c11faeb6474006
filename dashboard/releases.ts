import { html } from "hono/html";
import type { Client } from "../client/client.ts";
import { type Kept, keptWhy } from "../domain/projections/kept-release.ts";
import type { DeploymentView } from "../domain/projections/views.ts";
import { must } from "./engine.ts";
import { deploymentPath, type Environment, pathOf } from "./environments.ts";
import { linkTo, type Screen } from "./layout.ts";
import { badge, type Html, lasting, shortId, subject } from "./words.ts";

const TONES = { live: "live", window: "moving", ended: "gone", cut: "failed" } as const satisfies Record<Kept, string>;

/** Deployments of the releases that have an address, besides those that are known already. @throws Refused */
export const routedDeployments = async (
  client: Client,
  { routes }: Environment,
  known: readonly DeploymentView[],
): Promise<readonly DeploymentView[]> => {
  const ids = routes.map(({ deploymentId }) => deploymentId).filter((id) => known.every((one) => one.id !== id));
  return ids.length === 0 ? known : [...known, ...(await must(client.deployments({ ids: [...new Set(ids)].join(",") })))];
};

/** The releases that visitors are sent to, each with its address and until when what names it reaches it. */
export const releasesTable = (environment: Environment, deployments: readonly DeploymentView[], screen: Screen): Html | string => {
  const { routes } = environment;
  if (routes.length === 0) return "";
  const now = new Date(screen.now).toISOString();
  return html`<table><caption>Releases that are reached</caption><thead><tr><th scope="col">Release</th><th scope="col">Address</th><th scope="col">Kept</th><th scope="col">Reached until</th>${screen.canAct ? html`<th scope="col">Cut off</th>` : ""}</tr></thead><tbody>${routes.map(
    (route) => {
      const { deploymentId, sequence, address, host, until } = route;
      const kept = keptWhy(route, now);
      const deployment = deployments.find(({ id }) => id === deploymentId);
      return html`<tr><td><a href="${linkTo(deploymentPath(deploymentId), screen)}">#${sequence} ${deployment === undefined ? shortId(deploymentId) : subject(deployment)}</a></td><td><span class="sha">r-${address}</span> <span class="soft">${host}</span></td><td>${badge(TONES[kept], kept)}</td><td>${kept === "window" && until !== null ? html`<time datetime="${until}">in ${lasting(Date.parse(until) - screen.now)}</time>` : kept === "live" ? "while it is live" : "reached no more"}</td>${screen.canAct ? html`<td>${kept === "window" ? html`<a class="button" href="${cutPath(environment, deploymentId)}">Cut…</a>` : ""}</td>` : ""}</tr>`;
    },
  )}</tbody></table>`;
};

export const cutPath = (place: Pick<Environment, "site" | "environment">, deploymentId: string): string =>
  `${pathOf(place)}/releases/${encodeURIComponent(deploymentId)}/cut`;
