import {
  COLLECT,
  ENTER_APP,
  INSTALL,
  KEEP,
  KEPT,
  OPEN_NEXT,
  PLAIN_FILES,
  REFUSE_OWN_BUILDSPEC,
  sharpFor,
  TAKE_MANAGER,
} from "./build-commands.ts";
import type { Site } from "./sites.ts";

/**
 * npm's links to the programs of packages: no function runs them, and OpenNext 3 leaves them pointing out of its output
 * where it runs on Node 22.19 and newer (its `cpSync` keeps links that it is told to follow, and makes them absolute).
 */
export const NPM_LINKS = "**/node_modules/.bin/**/*";

/**
 * The build of a site that has no buildspec.yml of its own: an ordinary OpenNext build, or the commands of the sites file.
 * It is the same for every source, on AWS and here: what differs, its commands find in the source (ADR 22).
 *
 * @param refuseOwn nobody knew whether the app has a buildspec.yml: one that has is not built by anything else
 */
export const buildspecOf = (
  { build, architecture }: Pick<Site, "build" | "architecture">,
  { refuseOwn = false }: { readonly refuseOwn?: boolean } = {},
): string => {
  const install = [...(refuseOwn ? [REFUSE_OWN_BUILDSPEC] : []), ...(build?.install ?? [TAKE_MANAGER, INSTALL])];
  const commands = [ENTER_APP, ...(build?.commands ?? [OPEN_NEXT]), sharpFor(architecture), PLAIN_FILES, COLLECT, KEEP];
  return JSON.stringify({
    version: 0.2,
    env: { variables: { NEXT_TELEMETRY_DISABLED: "1" } },
    phases: { install: { commands: install }, build: { commands } },
    artifacts: { "base-directory": ".open-next", files: ["**/*"], "exclude-paths": [NPM_LINKS], "enable-symlinks": "yes" },
    cache: { paths: [".next/cache/**/*", `${KEPT}/**/*`] },
  });
};
