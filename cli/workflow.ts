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
    return `the package ${name} is not published under a name of its own: whatever somebody else publishes as ${name} would get the token`;
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
  id-token: write

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
      # whoever publishes under this name gets the token: see that the scope is yours, or whose it is, before you push this
      - run: npm install --global --ignore-scripts --no-audit --no-fund ${name}@${version}
      # the engine installs the app with ${manager}, and builds it
      - run: shiplog deploy ${folder} --site ${site} --yes
        env:
          SHIPLOG_URL: \${{ secrets.SHIPLOG_URL }}
          SHIPLOG_TOKEN: \${{ secrets.SHIPLOG_TOKEN }}
`;
