import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { GrantedRule } from "../../blueprint/github.ts";
import type { GithubClaims } from "../../engine/oidc/github-tokens.ts";

/** A run of a workflow, and the environments whose rules let it deploy. */
export type Run = { readonly claims: GithubClaims; readonly places: readonly Place[] };
type Place = Pick<SiteConfig, "site" | "environment">;

/** What a rule asks for and a run is not; empty where the run is as the rule says. */
const unlike = (rule: GrantedRule, run: GithubClaims): string[] => [
  ...(rule.repositoryId === undefined || rule.repositoryId === run.repository_id
    ? []
    : [`its repository is number ${rule.repositoryId}, and this one is number ${run.repository_id}`]),
  ...(rule.ref === undefined || rule.ref === run.ref ? [] : [`its ref is ${rule.ref}, and this run's is ${run.ref}`]),
  ...(rule.environment === undefined || rule.environment === run.environment
    ? []
    : [
        `its environment of GitHub is ${rule.environment}, and ${run.environment === undefined ? "this job names none" : `this job's is ${run.environment}`}`,
      ]),
  ...(rule.events.includes(run.event_name) ? [] : [`its events are ${rule.events.join(", ")}, and this run is of ${run.event_name}`]),
];

const isOf = (rule: GrantedRule, run: GithubClaims): boolean => rule.repository === run.repository;

export const runOf = (claims: GithubClaims, sites: readonly SiteConfig[]): Run => ({
  claims,
  places: sites.filter(({ github }) => github.some((rule) => isOf(rule, claims) && unlike(rule, claims).length === 0)),
});

/**
 * Why a run may not deploy to a place, and what would let it. Anybody on GitHub may ask: a rule is told to runs of its own
 * repository, and whether there is such a place at all to those that may know it.
 */
export const whyNot = ({ claims }: Run, { site, environment }: Place, sites: readonly SiteConfig[]): string => {
  const rules = sites.find((one) => one.site === site && one.environment === environment)?.github ?? [];
  const own = rules.flatMap((rule, index) => (isOf(rule, claims) ? [`rule ${index + 1}: ${unlike(rule, claims).join("; ")}`] : []));
  const place = `${site}/${environment}`;
  return own.length === 0
    ? `No rule lets runs of ${claims.repository} deploy to ${place}. To allow this one, add to "github" of ${place} in the sites file: ${ruleFor(claims)}.`
    : `No rule of ${place} fits this run of ${claims.repository} (${own.join(". ")}). To allow it, add to "github" of ${place} in the sites file: ${ruleFor(claims)}.`;
};

/** The narrowest rule that a run fits. */
const ruleFor = ({ repository, repository_id, ref, environment, event_name }: GithubClaims): string =>
  JSON.stringify({
    repository,
    repositoryId: repository_id,
    ...(/^refs\/(heads|tags)\//.test(ref) && { ref }),
    ...(environment !== undefined && { environment }),
    events: [event_name],
  });
