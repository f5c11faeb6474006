import { siteResources } from "../../blueprint/site-resources.ts";
import { type Finding, ok, wrong } from "./finding.ts";
import type { Sight } from "./sight.ts";
import type { Place } from "./site.ts";

type Quotas = Pick<Sight, "machines" | "builds" | "invocations" | "hasDistribution">;

/** With fewer, a site that is a little busy keeps deployments and rollbacks from running. */
const FEW_INVOCATIONS = 100;
const DOCS = 'docs/aws.md, "Before the first deployment"';
const raise = (service: string, code: string, value: number): string =>
  `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${value}`;

/** How many builds may run at once on each machine that the sites' projects have, or will have. */
export async function buildQuotas(sight: Quotas, places: readonly Place[]): Promise<Finding[]> {
  const there = await sight.machines([...new Set(places.map(({ site, environment }) => siteResources(site, environment).project))]);
  const findings: Finding[] = [];
  for (const machine of there.length > 0 ? there : machinesToBe(places)) {
    const what = `builds on ${machine}`;
    const quota = await sight.builds(machine);
    if (quota === undefined)
      findings.push(
        wrong(what, "have no quota that Service Quotas knows", "aws service-quotas list-service-quotas --service-code codebuild"),
      );
    else if (quota.value < 1)
      findings.push(
        wrong(
          what,
          'are not allowed to this account yet: a deployment fails with "Cannot have more than 0 builds in queue for the account"',
          `${raise("codebuild", quota.code, 5)}; what else moves AWS: ${DOCS}`,
        ),
      );
    else findings.push(ok(what, quota.value === 1 ? "one at a time: further deployments wait" : `${quota.value} at once`));
  }
  return findings;
}

/** As Service Quotas calls what a site's `buildCompute` says. */
const COMPUTE: Readonly<Record<string, string>> = {
  small: "Small",
  medium: "Medium",
  large: "Large",
  xlarge: "XLarge",
  "2xlarge": "2XLarge",
};

const machinesToBe = (places: readonly Place[]): string[] => [
  ...new Set(
    (places.length > 0 ? places : [{}]).map(
      ({ architecture, buildCompute = "small" }: Pick<Place, "architecture" | "buildCompute">) =>
        `${architecture === "x86_64" ? "Linux" : "ARM"}/${COMPUTE[buildCompute] ?? "Small"}`,
    ),
  ),
];

/** How many functions may run at once, the sites' and the engine's together. */
export async function invocationQuota(sight: Quotas): Promise<Finding[]> {
  const what = "functions at once";
  const most = await sight.invocations();
  if (most >= FEW_INVOCATIONS) return [ok(what, `${most}`)];
  const says = `${most}, the sites' and the engine's together: more visitors than that are answered with 429, and deployments and rollbacks wait`;
  return [wrong(what, says, raise("lambda", "L-B99A9384", 1_000))];
}

/** AWS verifies an account before its first distribution, and says whether it did only when one is made. */
export async function cloudFrontVerification(sight: Quotas): Promise<Finding[]> {
  const what = "CloudFront";
  if (await sight.hasDistribution()) return [ok(what, "has distributions of this account")];
  return [
    wrong(
      what,
      'has no distribution of this account yet, and AWS may have to verify the account first: then the deployment fails with "Your account must be verified before you can add new CloudFront resources"',
      `where it does, ask AWS Support and deploy again: ${DOCS}`,
    ),
  ];
}
