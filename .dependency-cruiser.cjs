/** Which room may know which: the design's layout as rules. `npm run rooms` checks them. */
const verbs =
  "start-build|stop-build|watch-build|publish-release|flip-alias|advance|refresh-edge|project|reconcile|relay|seal|notify|deliver|replay|doctor|verify|api";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "domain-is-pure",
      comment: "The rules know zod and themselves: nothing of AWS, Node or the rest of the house.",
      severity: "error",
      from: { path: "^domain/" },
      to: { pathNot: "^(domain/|node_modules/zod/)" },
    },
    {
      name: "a-verb-does-not-import-another",
      comment: "Consumers meet in the log, not in each other's code. What they share lives in kit, store or aws.",
      severity: "error",
      from: { path: `^services/(${verbs})/` },
      to: { path: `^services/(${verbs})/`, pathNot: "^services/$1/" },
    },
    {
      name: "shared-rooms-know-no-verb",
      severity: "error",
      from: { path: "^services/(kit|store|aws)/" },
      to: { path: `^services/(${verbs})/` },
    },
    {
      name: "services-know-no-surroundings",
      comment: "The same code runs on AWS and here: it must not know where it is.",
      severity: "error",
      from: { path: "^services/" },
      to: { path: "^(local|cli|test|scripts)/" },
    },
    {
      name: "infra-stands-alone",
      severity: "error",
      from: { path: "^infra/" },
      to: { path: "^(domain|services|local|cli|test|scripts)/" },
    },
    {
      name: "the-cli-talks-to-the-api",
      comment:
        "It parses, calls and prints; of the engine it knows the contract and how to pack a source. Operators' commands look past the API, at the account.",
      severity: "error",
      from: {
        path: "^cli/",
        pathNot: "^cli/(demo|account[.]ts$|examination[.]ts$|rebuilding[.]ts$|verification[.]ts$|verify-export[.]ts$)",
      },
      to: { path: "^services/", pathNot: "^services/(api/contract|kit/archive)" },
    },
    {
      name: "the-cli-decides-nothing",
      severity: "error",
      from: { path: "^cli/", pathNot: "^cli/demo" },
      to: { path: "^domain/.*/(decider|commands|state)[.]ts$" },
    },
    { name: "nobody-imports-tests", severity: "error", from: { pathNot: "^test/" }, to: { path: "^test/" } },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true, pathNot: "^aws-lambda$" } },
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
