import { defineConfig } from "vitest/config";

/**
 * `quick`: everything that runs in one process or on a loopback port. `cli`: the command, started as a person's shell would. `flow`: the whole engine with small apps. `infra`:
 * what would be deployed, evaluated without an account. `e2e`: the command that a user types, on a real app. `worlds`: long hunts in simulated worlds.
 * `conformance`: our own AWS and our adapters against what others say of AWS; not part of `npm test`.
 */
export default defineConfig({
  test: {
    maxWorkers: 2,
    minWorkers: 1,
    // the files of a worker share the modules that they load: to load them anew took more time than most tests
    poolOptions: { forks: { isolate: false } },
    projects: [
      {
        test: {
          name: "quick",
          include: ["test/**/*.test.ts"],
          exclude: [
            "test/cli/**",
            "test/e2e/**",
            "test/worlds/**",
            "test/flow/**",
            "test/infra/**",
            "test/witness/**",
            "test/conformance/**",
            "test/apps/**",
            "**/node_modules/**",
          ],
          // far more than any test takes: a limit ends what hangs, also on a machine that does other things
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "cli",
          include: ["test/cli/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "flow",
          include: ["test/flow/**/*.test.ts", "test/witness/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "infra",
          include: ["test/infra/**/*.test.ts"],
          globalSetup: "test/infra/support/setup.ts",
          poolOptions: { forks: { isolate: true } },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "apps",
          include: ["test/apps/*.test.ts"],
          // each builds an app of its own, and packages come from a registry
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
          poolOptions: { forks: { singleFork: true, isolate: true } },
        },
      },
      {
        test: {
          name: "worlds",
          include: ["test/worlds/**/*.test.ts"],
          maxConcurrency: 2,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: "test/e2e/support/packed-folder.ts",
          // a real build of a real app takes minutes, and two at once take longer than one after another
          testTimeout: 600_000,
          hookTimeout: 600_000,
          poolOptions: { forks: { singleFork: true, isolate: true } },
          maxConcurrency: 3,
        },
      },
    ],
  },
});
