const { readdirSync } = require("node:fs");
const { join } = require("node:path");

/** Which room may know which, lowest first: an arrow never runs up. Every folder of `engine` is a room of its own. */
const knows = {
  domain: [],
  blueprint: ["domain"],
  "engine/kit": ["domain", "blueprint"],
  "engine/zip": ["engine/kit"],
  "engine/oidc": ["blueprint", "engine/kit"],
  "engine/aws": ["domain", "blueprint", "engine/kit"],
  "engine/edge": ["domain", "blueprint", "engine/kit", "engine/aws"],
  "engine/log": ["domain", "blueprint", "engine/kit", "engine/aws"],
  "engine/people": ["domain", "blueprint", "engine/kit", "engine/aws"],
  "engine/webhooks": ["domain", "blueprint", "engine/kit", "engine/aws"],
  "engine/open-next": ["domain", "blueprint", "engine/kit", "engine/aws", "engine/zip"],
  "engine/views": ["domain", "blueprint", "engine/kit", "engine/aws", "engine/log", "engine/webhooks"],
  "engine/archive": ["domain", "blueprint", "engine/kit", "engine/aws", "engine/log", "engine/views"],
  "engine/sweep": ["domain", "blueprint", "engine/kit", "engine/aws", "engine/edge", "engine/log", "engine/open-next", "engine/views"],
  "engine/wiring": ["domain", "blueprint", "engine"],
  client: ["domain"],
  dashboard: ["domain", "client"],
  services: ["domain", "blueprint", "engine", "client", "dashboard"],
  operator: ["domain", "blueprint", "engine"],
  infra: ["blueprint"],
  local: ["domain", "blueprint", "engine", "services", "dashboard"],
  cli: ["domain", "blueprint", "engine", "client", "operator", "local"],
  demo: ["domain", "engine", "client", "cli", "local"],
};
const rooms = Object.keys(knows);
const below = (names) => `^(${names.join("|")})/`;
/** The folders of a room as they are: a new one has the rule at once. */
const folders = (room) =>
  readdirSync(join(__dirname, room), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
const unruled = folders("engine").filter((name) => !rooms.includes(`engine/${name}`));
if (unruled.length > 0) throw new Error(`engine/${unruled.join(", engine/")}: say in .dependency-cruiser.cjs what it may know`);

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    ...rooms.map((room) => ({
      name: `${room.replace("/", "-")}-knows-its-rooms`,
      comment: `${room} may know ${knows[room].join(", ") || "only itself"}.`,
      severity: "error",
      from: { path: `^${room}/` },
      to: {
        path: "^(domain|blueprint|engine|services|operator|client|dashboard|cli|demo|infra|local|test|scripts)/",
        pathNot: below([room, ...knows[room]]),
      },
    })),
    {
      name: "domain-is-pure",
      comment: "The rules know zod and themselves: nothing of AWS, Node or the rest of the house.",
      severity: "error",
      from: { path: "^domain/" },
      to: { pathNot: "^(domain/|node_modules/zod/)" },
    },
    {
      name: "a-verb-does-not-import-another",
      comment: "Consumers meet in the log, not in each other's code. What they share lives in engine.",
      severity: "error",
      from: { path: `^services/(${folders("services").join("|")})/` },
      to: { path: "^services/", pathNot: "^services/$1/" },
    },
    {
      name: "the-cli-talks-to-the-api",
      comment:
        "It parses, calls and prints; of the engine it knows how to pack a source, what a sites file says and what a stage may be called. Operators' commands look past the API, at the account.",
      severity: "error",
      from: {
        path: "^cli/",
        pathNot:
          "^cli/(account[.]ts$|edge-rebuilding[.]ts$|examination[.]ts$|infrastructure[.]ts$|rebuilding[.]ts$|snapshots-rebuilding[.]ts$|verification[.]ts$|verify-export[.]ts$)",
      },
      to: { path: "^(engine|operator|blueprint)/", pathNot: "^(engine/zip/|blueprint/(sites|stage))" },
    },
    {
      name: "the-cli-decides-nothing",
      severity: "error",
      from: { path: "^cli/" },
      to: { path: "^domain/.*/(decider|commands|state)[.]ts$" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^(aws-lambda|cloudfront)$" } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".mjs", ".js", ".cjs", ".json"],
    },
  },
};
