import type { Manager } from "../blueprint/sites-install.ts";
import { NODE_MAJOR } from "../blueprint/sites-runtime.ts";
import type { Package } from "./package-name.ts";

export type Workflow = {
  /** what installs the command: a scoped name, at exactly this version */
  readonly package: Package;
  readonly branch: string;
  /** the app's folder, from the repository's root */
  readonly folder: string;
  readonly site: string;
  readonly manager: Manager;
};

/** What may stand in a workflow as it is: GitHub and the shell read nothing into it. */
const PLAIN = /^\w[\w./@-]*$|^\.$/;

/** Why no workflow can be written; `undefined` where one can. */
export function withoutWorkflow({ package: { name }, branch, folder }: Workflow): string | undefined {
  if (!name.startsWith("@"))
    return `the package ${name} is not published under a name of its own: whatever somebody else publishes as ${name} would run with the job's right to deploy`;
  const odd = [branch, folder].find((one) => !PLAIN.test(one));
  return odd === undefined ? undefined : `${JSON.stringify(odd)} cannot stand in a workflow as it is`;
}

/** A workflow of GitHub that deploys what is pushed. Nothing of the app is installed there: the engine builds it. */
export const workflowOf = ({ package: { name, version }, branch, folder, site, manager }: Workflow): string => `name: Deploy ${site}

on:
  push:
    branches: ["${branch}"]
  workflow_dispatch:

permissions:
  contents: read
  # the run proves itself to the engine by a token of GitHub's: no secret is stored
  id-token: write

concurrency: deploy-${site}

jobs:
  deploy:
    runs-on: ubuntu-latest
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@v5
        with:
          persist-credentials: false
      - uses: actions/setup-node@v5
        with:
          node-version: ${NODE_MAJOR}
          package-manager-cache: false
      # whoever publishes under this name may deploy here: see that the scope is yours, or whose it is, before you push this
      - run: npm install --global --ignore-scripts --no-audit --no-fund ${name}@${version}
      # the engine installs the app with ${manager}, and builds it
      - run: shiplog deploy ${folder} --site ${site} --yes
        env:
          SHIPLOG_URL: \${{ vars.SHIPLOG_URL }}
`;

/**
 * What lets the runs of a workflow in, line by line (docs/github.md).
 * @param repository as GitHub knows it; undefined where its remote does not say
 * @param sitesFile as it is shown
 */
export const accessOf = (
  { branch, site }: Pick<Workflow, "branch" | "site">,
  repository: string | undefined,
  sitesFile: string,
): string[] => {
  const rule = JSON.stringify([{ repository: repository ?? "<owner>/<repository>", ref: `refs/heads/${branch}` }]).replace(
    /[,:]"/g,
    (two) => `${two[0]} "`,
  );
  return [
    "The workflow stores no secret: its runs prove themselves by tokens of GitHub. To let them in:",
    `  1. in ${sitesFile}, at the environment of ${site}:  "github": ${rule}`,
    "  2. put it into effect:  shiplog up --stage production",
    "  3. gh variable set SHIPLOG_URL --body <the address that it prints>",
  ];
};

/** Owner and name of a repository of github.com, as its remote has them. */
export const repositoryIn = (remote: string): string | undefined =>
  /^(?:https:\/\/(?:[^@/]+@)?|ssh:\/\/git@|git@)github\.com[:/]([\w-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(remote)?.[1];
