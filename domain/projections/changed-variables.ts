import type { Fingerprints } from "../deployment/shapes.ts";
import type { DeploymentView, EnvironmentView } from "./views.ts";

/**
 * The variables whose value is another than what is live was built or published with, by name. What is known of an older
 * deployment is only when it was asked for: what was set since has changed.
 * @param declared what the next release is given; of other variables it is given no value. `undefined`: not known
 */
export const changedVariables = (
  { variables }: Pick<EnvironmentView, "variables">,
  live: Pick<DeploymentView, "variables" | "queuedAt">,
  declared?: readonly string[],
): string[] =>
  Object.entries(variables)
    .filter(([name, { fingerprint, at }]) => {
      const next = declared === undefined || declared.includes(name) ? fingerprint : null;
      return isChanged(live, name, next) ?? at > live.queuedAt;
    })
    .map(([name]) => name)
    .sort();

/** Whether a variable differs from what a deployment was given; `undefined` where that is not known. `null`: it has no value. */
export const isChanged = (
  { variables: { built, published } }: Pick<DeploymentView, "variables">,
  name: string,
  fingerprint: string | null,
): boolean | undefined => {
  const given = [built, published].filter((one) => one !== null);
  return given.length === 0 ? undefined : given.some((one) => fingerprintIn(one, name) !== fingerprint);
};

const fingerprintIn = (given: Fingerprints, name: string): string | null => (Object.hasOwn(given, name) ? (given[name] ?? null) : null);
