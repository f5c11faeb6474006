import type { Site } from "./sites.ts";

/**
 * npm's links to the programs of packages: no function runs them, and OpenNext 3 leaves them pointing out of its output
 * where it runs on Node 22.19 and newer (its `cpSync` keeps links that it is told to follow, and makes them absolute).
 */
export const NPM_LINKS = "**/node_modules/.bin/**/*";

/** The build of a site that has no buildspec.yml of its own: an ordinary OpenNext build, or the commands of the sites file. */
export const buildspecOf = ({ build }: Pick<Site, "build">): string => {
  const install = build?.install ?? ["npm ci --no-audit --no-fund"];
  const commands = build?.commands ?? ["npx --no-install open-next build"];
  return JSON.stringify({
    version: 0.2,
    env: { variables: { NEXT_TELEMETRY_DISABLED: "1" } },
    phases: { install: { commands: install }, build: { commands } },
    artifacts: { "base-directory": ".open-next", files: ["**/*"], "exclude-paths": [NPM_LINKS], "enable-symlinks": "yes" },
    cache: { paths: [".next/cache/**/*"] },
  });
};
