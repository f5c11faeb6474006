import { intersects, major, minVersion, Range, satisfies, valid, validRange } from "semver";
import type { Manager } from "../blueprint/sites-install.ts";
import { INSTALLS } from "../blueprint/sites-install.ts";
import { NODE_MAJOR } from "../blueprint/sites-runtime.ts";
import type { FoundLayout } from "./app-layout.ts";
import { errorAt, type Finding, unchecked, warningAt } from "./finding.ts";
import { installedPackage, type Lock, type LockedPackage, readLock } from "./lockfile.ts";
import type { Manifest } from "./manifest.ts";
import { OPEN_NEXT } from "./tested-versions.ts";

export const ADD_DEV: Readonly<Record<Manager, string>> = {
  npm: "npm install --save-dev",
  pnpm: "pnpm add --save-dev",
  yarn: "yarn add --dev",
  bun: "bun add --dev",
};
export const ADD: Readonly<Record<Manager, string>> = { npm: "npm install", pnpm: "pnpm add", yarn: "yarn add", bun: "bun add" };

/** Versions that a build will get, as far as they are known. */
export type Versions = { readonly next?: string; readonly openNext?: string };

/** Holds the versions of Next.js, OpenNext and Node against each other, without asking anybody. */
export function checkVersions(
  found: FoundLayout,
  /** of the app, and of its workspace's root */
  manifests: readonly [Manifest, ...Manifest[]],
  manager: Manager,
): { versions: Versions; findings: Finding[] } {
  const { layout, install } = found;
  const lock = install === undefined ? undefined : readLock(layout, install.lockfile, manager);
  const next = resolved("next");
  const openNext = resolved("@opennextjs/aws");
  const versions = { ...(next && { next: next.version }), ...(openNext && { openNext: openNext.version }) };
  const stale = install === undefined ? [] : staleLock(manifests[0], lock, install.lockfile, manager);
  return {
    versions,
    findings: [
      ...stale,
      ...openNextFindings(manifests, openNext, manager),
      // what the lockfile lacks is told already
      ...(openNext === undefined || stale.length > 0 ? [] : nextFindings(next, openNext, manager)),
      ...(openNext === undefined && isWanted("@opennextjs/aws") && stale.length === 0 ? [unknownRange(manager)] : []),
      ...manifests.flatMap((manifest) => nodeFindings(manifest, install?.command)),
    ],
  };

  function isWanted(name: string): boolean {
    return manifests.some(({ wants }) => wants.has(name));
  }
  /** As it will be installed, else as it is, else as package.json pins it. */
  function resolved(name: string): LockedPackage | undefined {
    const range = manifests.map(({ wants }) => wants.get(name)).find((one) => one !== undefined);
    if (range === undefined) return undefined;
    const pinned = valid(range) === null ? undefined : { version: range, peers: {} };
    return lock?.packageOf(name, range) ?? installedPackage(layout, name) ?? pinned;
  }
}

/** What package.json wants and the lockfile does not know: an install that changes nothing would end there. */
function staleLock({ file, wants }: Manifest, lock: Lock | undefined, lockfile: string, manager: Manager): Finding[] {
  const missing = [...wants.keys()].filter((name) => lock?.lacks(name));
  if (missing.length === 0) return [];
  return [
    errorAt(
      "lockfile.stale",
      `${lockfile} does not have ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ` and ${missing.length - 3} more` : ""}, which ${file} names: a build installs only what the lockfile has.`,
      `Run \`${manager} install\`, and commit ${lockfile}.`,
    ),
  ];
}

function openNextFindings(manifests: readonly [Manifest, ...Manifest[]], openNext: LockedPackage | undefined, manager: Manager): Finding[] {
  if (!manifests.some(({ wants }) => wants.has("@opennextjs/aws")))
    return [
      errorAt(
        "open-next.missing",
        `${manifests[0].file.replace(/.package\.json$/, "")} cannot be built for AWS: its package.json does not depend on "@opennextjs/aws".`,
        `Run \`${ADD_DEV[manager]} @opennextjs/aws\` there.`,
      ),
    ];
  if (openNext === undefined || valid(openNext.version) === null || major(openNext.version) === major(OPEN_NEXT.version)) return [];
  return [
    warningAt(
      "open-next.version",
      `@opennextjs/aws is ${openNext.version}, and Shiplog is tried with ${major(OPEN_NEXT.version)}.x (${OPEN_NEXT.version}).`,
      `Run \`${ADD_DEV[manager]} @opennextjs/aws@${OPEN_NEXT.version}\`.`,
    ),
  ];
}

function nextFindings(next: LockedPackage | undefined, openNext: LockedPackage, manager: Manager): Finding[] {
  // a classic yarn.lock does not say it
  const range = openNext.peers.next ?? (openNext.version === OPEN_NEXT.version ? OPEN_NEXT.next : undefined);
  if (range === undefined || validRange(range) === null) return [unknownRange(manager)];
  if (next === undefined || valid(next.version) === null)
    return [unchecked("next.version", "Which Next.js a build gets is not known here, so its version was not checked.")];
  return rangeFindings(next.version, { version: openNext.version, next: range }, manager);
}

/** Another major version than OpenNext knows does not build; within one, OpenNext only asks for something newer. */
export function rangeFindings(next: string, openNext: { readonly version: string; readonly next: string }, manager: Manager): Finding[] {
  const { version, next: range } = openNext;
  if (valid(next) === null || satisfies(next, range, { includePrerelease: true })) return [];
  const isKnown = intersects(range, `${major(next)}.x`);
  return [
    (isKnown ? warningAt : errorAt)(
      "next.version",
      `Next.js is ${next}, and @opennextjs/aws ${version} works with ${range}.`,
      `Run \`${ADD[manager]} next@^${lowest(range, isKnown ? major(next) : undefined)}\`, or take another @opennextjs/aws.`,
    ),
  ];
}

const unknownRange = (manager: Manager): Finding =>
  unchecked(
    "next.version",
    "Whether this Next.js is one that OpenNext works with was not checked: @opennextjs/aws is not installed here.",
    `Run \`${manager} install\`, then check again.`,
  );

/** The lowest version of a range, of one major version or of its newest. */
function lowest(range: string, of: number | undefined): string {
  const parts = new Range(range).set.map((one) => minVersion(one.map(String).join(" "))).filter((one) => one !== null);
  const fitting = parts.filter((one) => of === undefined || one.major === of);
  return String(fitting.toSorted((one, other) => other.compare(one))[0] ?? range);
}

/** Package managers that end where a project's `engines` do not fit; the others only warn, or look away. */
const STRICT: readonly string[] = [INSTALLS.pnpm, INSTALLS.yarnClassic];

function nodeFindings({ file, node }: Manifest, install: string | undefined): Finding[] {
  if (node === undefined || validRange(node) === null || intersects(node, `${NODE_MAJOR}.x`)) return [];
  const isStrict = install !== undefined && STRICT.includes(install);
  return [
    (isStrict ? errorAt : warningAt)(
      "node.version",
      `${file} asks for Node ${node} (engines), and builds and functions on AWS have Node ${NODE_MAJOR}${isStrict ? ": the install ends there" : ""}.`,
      `Let "engines" take it: "node": "${node} || ${NODE_MAJOR}.x".`,
    ),
  ];
}
