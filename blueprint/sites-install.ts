/** How the default build installs an app, by its lockfile: exactly what that says, with what only builds need. */
export type Manager = "npm" | "pnpm" | "yarn" | "bun";

/** Where several are of one manager, its first is taken. */
export const LOCKFILES: readonly (readonly [file: string, manager: Manager])[] = [
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
];

export const INSTALLS = {
  npm: "npm ci --include=dev --no-audit --no-fund",
  pnpm: "pnpm install --frozen-lockfile --prod=false",
  /** yarn 2 and newer: its lockfile begins with `__metadata:` */
  yarn: "yarn install --immutable",
  yarnClassic: "yarn install --frozen-lockfile --production=false --non-interactive",
  bun: "env -u NODE_ENV bun install --frozen-lockfile",
} as const;
