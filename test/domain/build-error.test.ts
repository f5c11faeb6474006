import { readdirSync, readFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { findBuildError } from "../../domain/build-error/find-build-error.ts";

/** Logs of builds that were really broken, each by what its name says. */
const folder = new URL("../fixtures/build-logs/", import.meta.url);
const linesOf = (name: string): string[] => readFileSync(new URL(`${name}.txt`, folder), "utf8").split("\n");

/** Which kind of error it is, the line that must be shown, and how it is told in one line. */
const corpus: readonly (readonly [name: string, kind: string, line: string, summary: string])[] = [
  [
    "berry-lockfile-outdated",
    "lockfile",
    "➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly for",
    "The lockfile would have been modified by this install, which is explicitly forbidden.",
  ],
  [
    "berry-package-unknown",
    "install",
    "➤ YN0035: │ @harbour-of-nowhere/tides@npm:1.0.0: Package not found",
    "@harbour-of-nowhere/tides@npm:1.0.0: Package not found",
  ],
  [
    "bun-lockfile-outdated",
    "lockfile",
    "error: lockfile had changes, but lockfile is frozen",
    "lockfile had changes, but lockfile is frozen",
  ],
  [
    "bun-package-unknown",
    "install",
    "error: GET https://registry.npmjs.org/@harbour-of-nowhere%2ftides - 404",
    "GET https://registry.npmjs.org/@harbour-of-nowhere%2ftides - 404",
  ],
  [
    "bun-script-fails",
    "error",
    "TypeError: undefined is not an object (evaluating 'table.harbour.hours')",
    "/build/source/scripts/build.ts:3:19: TypeError: undefined is not an object (evaluating 'table.harbour.hours')",
  ],
  [
    "eslint-alone",
    "lint",
    "4:15  error    Unexpected any. Specify a different type                         @typescrip",
    "/build/source/app/tides/page.tsx:4:15: Unexpected any. Specify a different type  @typescript-eslint/no-explicit-any",
  ],
  [
    "next15-css-syntax",
    "compile",
    "Syntax error: /build/source/bad.css Unknown word",
    "bad.css:2:6: Syntax error: /build/source/bad.css Unknown word",
  ],
  [
    "next15-eslint",
    "lint",
    "4:15  Error: Unexpected any. Specify a different type.  @typescript-eslint/no-explicit-any",
    "app/tides/page.tsx:4:15: Unexpected any. Specify a different type.  @typescript-eslint/no-explicit-any",
  ],
  ["next15-font-not-fetched", "font", "Failed to fetch `Inter` from Google Fonts.", "Failed to fetch `Inter` from Google Fonts."],
  [
    "next15-global-css",
    "compile",
    "Global CSS cannot be imported from files other than your Custom <App>. Due to the",
    "a.css: Global CSS cannot be imported from files other than your Custom <App>. Due to the Global nature of stylesheets, and to avoid conflicts, Please move all first-party global CSS imports to pages/_app.js. Or convert the import to Component-Level CSS (CSS Modules).",
  ],
  ["next15-missing-variable", "error", "[cause]: Error: TIDES_URL is not set", "Error: TIDES_URL is not set"],
  [
    "next15-module-not-found",
    "module",
    "Type error: Cannot find module 'date-fns' or its corresponding type declarations.",
    "app/tides/page.tsx:1:24: Type error: Cannot find module 'date-fns' or its corresponding type declarations.",
  ],
  [
    "next15-open-next-type-error",
    "types",
    "Type error: Type 'number' is not assignable to type 'string'.",
    "app/tides/page.tsx:2:28: Type error: Type 'number' is not assignable to type 'string'.",
  ],
  [
    "next15-prerender-throws",
    "prerender",
    "Error: there is no tide table of harbour",
    "Error: there is no tide table of harbour (while /tides was prerendered)",
  ],
  [
    "next15-static-props-throw",
    "prerender",
    "TypeError: Cannot read properties of undefined (reading 'name')",
    "TypeError: Cannot read properties of undefined (reading 'name') (while /p/2 was prerendered)",
  ],
  [
    "next15-syntax-error",
    "compile",
    "Error:   x Unexpected token. Did you mean `{'}'}` or `&rbrace;`?",
    "app/tides/page.tsx:6:1: Unexpected token. Did you mean `{'}'}` or `&rbrace;`?",
  ],
  [
    "next15-type-error",
    "types",
    "Type error: Type 'string' is not assignable to type 'number'.",
    "app/tides/page.tsx:4:9: Type error: Type 'string' is not assignable to type 'number'.",
  ],
  [
    "next15-unknown-type",
    "compile",
    "Module parse failed: Unexpected token (1:9)",
    "table.csv: Module parse failed: Unexpected token (1:9)",
  ],
  [
    "next16-config-error",
    "module",
    "Error: Cannot find module '/build/source/redirects.mjs' imported from /build/source/next.c",
    "Cannot find module '/build/source/redirects.mjs' imported from /build/source/next.config.mjs",
  ],
  [
    "next16-fetch-refused",
    "prerender",
    "[cause]: Error: bad port",
    "app/tides/page.tsx:2:18: Error: bad port (while /tides was prerendered)",
  ],
  [
    "next16-global-css",
    "error",
    "Error: Global CSS cannot be imported from files other than your Custom <App>.",
    "pages/tides.jsx: Error: Global CSS cannot be imported from files other than your Custom <App>.",
  ],
  ["next16-font-not-fetched", "font", "Failed to fetch Inter from Google Fonts.", "Failed to fetch Inter from Google Fonts."],
  [
    "next16-missing-suspense",
    "prerender",
    '⨯ useSearchParams() should be wrapped in a suspense boundary at page "/tides". Read more: ',
    'useSearchParams() should be wrapped in a suspense boundary at page "/tides"',
  ],
  ["next16-missing-variable", "error", "[cause]: Error: TIDES_URL is not set", "lib/tides.ts:2:30: Error: TIDES_URL is not set"],
  [
    "next16-module-not-found",
    "module",
    "app/tides/page.tsx(1,24): error TS2307: Cannot find module 'date-fns' or its corresponding",
    "app/tides/page.tsx:1:24: Cannot find module 'date-fns' or its corresponding type declarations.",
  ],
  [
    "next16-out-of-memory",
    "memory",
    "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "JavaScript heap out of memory",
  ],
  [
    "next16-page-too-slow",
    "prerender",
    "Failed to build /tides/page: /tides after 3 attempts.",
    "Failed to build /tides/page: /tides after 3 attempts",
  ],
  [
    "next16-prerender-throws",
    "prerender",
    "Error: there is no tide table of harbour",
    "lib/table.ts:3:9: Error: there is no tide table of harbour (while /tides was prerendered)",
  ],
  [
    "next16-syntax-error",
    "compile",
    "Error: Unexpected token. Did you mean `{'}'}` or `&rbrace;`?",
    "app/tides/page.tsx:6:1: Error: Unexpected token. Did you mean `{'}'}` or `&rbrace;`?",
  ],
  [
    "next16-time-limit",
    "time",
    "Failed to build /tides/page: /tides (attempt 1 of 3) because it took more than 60 seconds.",
    "the build took longer than its time limit",
  ],
  [
    "next16-type-error",
    "types",
    "app/tides/page.tsx(4,9): error TS2322: Type 'string' is not assignable to type 'number'.",
    "app/tides/page.tsx:4:9: TS2322: Type 'string' is not assignable to type 'number'.",
  ],
  [
    "next16-use-client-missing",
    "compile",
    "Error: You're importing a module that depends on `useState` into a React Server Component ",
    'app/tides/page.tsx:1:10: Error: You\'re importing a module that depends on `useState` into a React Server Component module. This API is only available in Client Components. To fix, mark the file (or its parent) with the `"use client"` directive.',
  ],
  [
    "npm-disk-full",
    "disk",
    "npm error nospc Invalid response body while trying to fetch https://registry.npmjs.org/typ",
    "ENOSPC: no space left on device, write",
  ],
  [
    "npm-engine",
    "config",
    "npm error engine Not compatible with your version of node/npm: harbour@1.0.0",
    "Not compatible with your version of node/npm: harbour@1.0.0",
  ],
  [
    "npm-integrity",
    "install",
    "npm error Integrity checksum failed when using sha512: wanted sha512-AAAAAAAAMB5dPwwCp4ee1",
    "Integrity checksum failed when using sha512",
  ],
  [
    "npm-lockfile-out-of-sync",
    "lockfile",
    "npm error `npm ci` can only install packages when your package.json and package-lock.json ",
    "`npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.",
  ],
  [
    "npm-no-lockfile",
    "lockfile",
    "npm error The `npm ci` command can only install with an existing package-lock.json or",
    "The `npm ci` command can only install with an existing package-lock.json or",
  ],
  [
    "npm-no-network",
    "network",
    "npm error request to https://registry.npmjs.org/nanoid failed, reason: getaddrinfo EAI_AGA",
    "request to https://registry.npmjs.org/nanoid failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org",
  ],
  [
    "npm-package-unknown",
    "install",
    "npm error 404 Not Found - GET https://registry.npmjs.org/@harbour-of-nowhere%2ftides",
    "Not Found - GET https://registry.npmjs.org/@harbour-of-nowhere%2ftides",
  ],
  [
    "npm-peer-conflict",
    "peer",
    'npm error peer react@"^16.8.5 || ^17.0.0 || ^18.0.0" from react-beautiful-dnd@13.1.1',
    'peer react@"^16.8.5 || ^17.0.0 || ^18.0.0" from react-beautiful-dnd@13.1.1',
  ],
  [
    "npm-postinstall-fails",
    "error",
    "Error: ENOENT: no such file or directory, open 'schema.json'",
    "/build/source/scripts/generate.mjs:3:1: Error: ENOENT: no such file or directory, open 'schema.json'",
  ],
  ["npm-program-missing", "config", "sh: 1: next: not found", "next: not found"],
  ["npm-script-missing", "config", 'npm error Missing script: "build:open-next"', 'Missing script: "build:open-next"'],
  [
    "npm-version-unknown",
    "install",
    "npm error notarget No matching version found for nanoid@99.0.0.",
    "No matching version found for nanoid@99.0.0.",
  ],
  [
    "open-next-missing",
    "config",
    'npm error npx canceled due to missing packages and no YES option: ["open-next@3.1.3"]',
    'npx canceled due to missing packages and no YES option: ["open-next@3.1.3"]',
  ],
  [
    "pnpm-lockfile-outdated",
    "lockfile",
    'ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml i',
    'Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json',
  ],
  [
    "pnpm-no-network",
    "network",
    "EAI_AGAIN  request to https://registry.npmjs.org/nanoid/-/nanoid-5.1.6.tgz failed, reason:",
    "request to https://registry.npmjs.org/nanoid/-/nanoid-5.1.6.tgz failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org",
  ],
  [
    "pnpm-package-unknown",
    "install",
    "ERR_PNPM_FETCH_404  GET https://registry.npmjs.org/@harbour-of-nowhere%2Ftides: Not Found ",
    "GET https://registry.npmjs.org/@harbour-of-nowhere%2Ftides: Not Found - 404",
  ],
  ["pnpm-peer-conflict", "peer", "ERR_PNPM_PEER_DEP_ISSUES  Unmet peer dependencies", "Unmet peer dependencies"],
  [
    "pnpm-script-fails",
    "module",
    "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/build/source/lib/table.mjs' imported fr",
    "Cannot find module '/build/source/lib/table.mjs' imported from /build/source/scripts/build.mjs",
  ],
  [
    "workspace-tsc",
    "types",
    "src/index.ts(1,33): error TS2322: Type 'number' is not assignable to type 'string'.",
    "src/index.ts:1:33: TS2322: Type 'number' is not assignable to type 'string'.",
  ],
  [
    "yarn1-engine",
    "config",
    'error harbour@1.0.0: The engine "node" is incompatible with this module. Expected version ',
    'harbour@1.0.0: The engine "node" is incompatible with this module. Expected version ">=26". Got "24.21.0"',
  ],
  [
    "yarn1-lockfile-outdated",
    "lockfile",
    "error Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.",
    "Your lockfile needs to be updated, but yarn was run with `--frozen-lockfile`.",
  ],
  [
    "yarn1-package-unknown",
    "install",
    'error Couldn\'t find package "@harbour-of-nowhere/tides" on the "npm" registry.',
    'Couldn\'t find package "@harbour-of-nowhere/tides" on the "npm" registry.',
  ],
  [
    "yarn1-script-fails",
    "module",
    "Error: Cannot find module './settings.json'",
    "/build/source/build.js:1:18: Cannot find module './settings.json'",
  ],
];
/** The same source, built again, may succeed. */
const PASSING = new Set(["next15-font-not-fetched", "next16-font-not-fetched", "next16-time-limit", "npm-no-network", "pnpm-no-network"]);
/** Builds with warnings, that ended well. */
const SUCCEEDED = ["next16-success"];

describe("the first real error of a build that failed", () => {
  it.each(corpus)("of %s is found", (name, kind, line, summary) => {
    const lines = linesOf(name);
    const error = findBuildError(lines);
    expect(error).toMatchObject({ kind, summary });
    expect(stripVTControlCharacters(lines[error?.line ?? -1] ?? "")).toContain(line);
    expect(error?.context[error.marked]).toContain(line.slice(0, 40));
    expect(error?.context.length).toBeLessThanOrEqual(15);
    expect(error?.canRetryHelp).toBe(PASSING.has(name));
  });
  it("is known for every log of the corpus", () => {
    const names = readdirSync(folder).map((file) => file.replace(".txt", ""));
    expect(names.filter((name) => !SUCCEEDED.includes(name)).sort()).toEqual(corpus.map(([name]) => name).sort());
  });
  it.each(SUCCEEDED)("is not in %s", (name) => {
    expect(findBuildError(linesOf(name))).toBeUndefined();
  });
});

const at = "[Container] 2026/11/23 10:00:00.123456 ";
const failed = (...printed: string[]): string[] => [
  `${at}Entering phase BUILD`,
  `${at}Running command npm run build`,
  ...printed,
  `${at}Command did not exit successfully npm run build exit status 1`,
  `${at}Phase complete: BUILD State: FAILED`,
];

describe("a log", () => {
  it("of a command that says nothing known has its last line for an error, which may well pass", () => {
    const error = findBuildError(failed("looking at the tables", "the tide table is missing", ""));
    expect(error).toMatchObject({ kind: "command", summary: "the tide table is missing", line: 3, canRetryHelp: true });
  });
  it("has no error that a command printed which ended well, or that came after the failure", () => {
    const before = [`${at}Running command npm test`, "Error: this one is only told", `${at}Phase complete: INSTALL State: SUCCEEDED`];
    const after = [`${at}Running command node report.mjs`, "app/page.tsx(1,1): error TS1005: ';' expected."];
    expect(findBuildError([...before, ...failed("Error: this one ended it"), ...after])?.summary).toBe("Error: this one ended it");
  });
  it("of a build that ran into its time limit ends with what it did last", () => {
    const lines = [
      ...failed("Generating static pages").slice(0, 3),
      `${at}Phase complete: BUILD State: TIMED_OUT`,
      `${at}Phase context status code: BUILD_TIMED_OUT Message: Build has timed out.`,
    ];
    expect(findBuildError(lines)).toMatchObject({ kind: "time", context: ["Generating static pages"], canRetryHelp: true });
  });
  it("of a command that was killed is one of memory", () => {
    const killed = failed("Creating an optimized production build").map((line) => line.replace("exit status 1", "exit status 137"));
    expect(findBuildError(killed)).toMatchObject({ kind: "memory", canRetryHelp: false });
  });
  it("shows no colours, no endless line, and no folder of the build", () => {
    const place = "/home/ada/.cache/shiplog/builds/4f2a/5b2e/src/app/page.tsx";
    const error = findBuildError(failed(`\u001b[31mError: ${"x".repeat(10_000)}\u001b[39m`, `    at page (${place}:3:9)`));
    expect(error?.summary).toMatch(/^app\/page\.tsx:3:9: Error: x+…$/);
    expect(Math.max(...(error?.context ?? []).map(({ length }) => length))).toBeLessThanOrEqual(500);
  });
  it("says nothing while nothing has failed", () => {
    expect(findBuildError(failed("Error: caught").slice(0, 3))).toBeUndefined();
  });
});
