import type { Site } from "./sites.ts";

/** The build of a site that has no buildspec.yml of its own: an ordinary OpenNext build, or the commands of the sites file. */
export const buildspecOf = ({ build }: Pick<Site, "build">): string => {
  const install = build?.install ?? ["npm ci --no-audit --no-fund"];
  const commands = build?.commands ?? ["npx --no-install open-next build"];
  return JSON.stringify({
    version: 0.2,
    env: { variables: { NEXT_TELEMETRY_DISABLED: "1" } },
    phases: { install: { commands: install }, build: { commands } },
    artifacts: { "base-directory": ".open-next", files: ["**/*"], "enable-symlinks": "yes" },
    cache: { paths: [".next/cache/**/*"] },
  });
};
