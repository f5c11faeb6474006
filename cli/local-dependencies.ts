import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, posix, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { ListedSource } from "../engine/zip/archive.ts";
import { isMemberOf, type Layout } from "./app-layout.ts";
import { errorAt, type Finding, warningAt } from "./finding.ts";

/** A dependency of a package of the source that is a path: of a folder, or of a tarball. */
type LocalDependency = {
  /** of the package.json that names it, from the source's root; `.` is the root */
  readonly from: string;
  readonly name: string;
  /** as it is written: `file:../words` */
  readonly spec: string;
  /** absolute */
  readonly path: string;
  /** an install goes on without it */
  readonly optional: boolean;
};

/**
 * What the packages of a source depend on by a path that no build has: it is outside of what is packed, or left out of it.
 * An install here may hide that, since the package is there, or in the manager's cache.
 */
export function checkLocalDependencies({ root, app = "." }: Layout, listed: ListedSource): Finding[] {
  const isMember = isMemberOf(root);
  const members = listed.files.flatMap(({ path }) => (posix.basename(path) === "package.json" ? posix.dirname(path) : [])).filter(isMember);
  const findings: Finding[] = [];
  const waiting = [...new Set([".", app, ...members])].map((folder) => ({ folder, dev: true }));
  const seen = new Set(waiting.map(({ folder }) => folder));
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    for (const dependency of localDependenciesOf(root, next.folder, next.dev)) {
      const inside = insideOf(root, dependency.path);
      const finding = inside === undefined ? outside(root, dependency) : notSent(root, listed, dependency, inside);
      if (finding !== undefined) findings.push(finding);
      // a folder's own dependencies are installed too, but for those of its development; with `link:` none are
      else if (inside !== undefined && !seen.has(inside) && !/^link:/i.test(dependency.spec)) {
        seen.add(inside);
        waiting.push({ folder: inside, dev: false });
      }
    }
  }
  return findings;
}

const Dependencies = z.record(z.string(), z.unknown()).optional().catch(undefined);
const Dependent = z.object({ dependencies: Dependencies, devDependencies: Dependencies, optionalDependencies: Dependencies });

function localDependenciesOf(root: string, from: string, dev: boolean): LocalDependency[] {
  const parsed = Dependent.safeParse(jsonOf(join(root, from, "package.json")));
  if (!parsed.success) return [];
  const { dependencies, devDependencies, optionalDependencies } = parsed.data;
  const wanted = { ...(dev ? devDependencies : {}), ...dependencies, ...optionalDependencies };
  return Object.entries(wanted).flatMap(([name, spec]) => {
    const path = typeof spec === "string" ? pathOf(spec, join(root, from)) : undefined;
    return path === undefined ? [] : [{ from, name, spec: String(spec), path, optional: optionalDependencies?.[name] !== undefined }];
  });
}

const LOCAL = /^(?:file|link|portal):/i;
/** What npm takes for a path without a word before it. */
const BARE = /^(?:\.{0,2}|~)[/\\]|^[^:@#]+\.(?:tgz|tar\.gz|tar)$|^\.{1,2}$/i;

function pathOf(spec: string, folder: string): string | undefined {
  if (!LOCAL.test(spec) && !BARE.test(spec)) return undefined;
  if (/^file:\/\/\//i.test(spec)) return URL.canParse(spec) ? fileURLToPath(spec) : undefined;
  const path = spec.replace(LOCAL, "");
  return /^~[/\\]/.test(path) ? join(homedir(), path.slice(2)) : resolve(folder, path);
}

/** A path from the root, `.` where it is the root; undefined where it leads out. */
function insideOf(root: string, path: string): string | undefined {
  const inside = relative(root, path).split(sep).join("/");
  return inside === ".." || inside.startsWith("../") || resolve(root, inside) !== path ? undefined : inside || ".";
}

const outside = (root: string, dependency: LocalDependency): Finding =>
  missing(
    root,
    dependency,
    `which is outside of ${root}, and only what is in there is packed`,
    `${isTarball(dependency) ? "Copy" : "Move"} it into ${root} and correct the path, publish it to a registry${
      isTarball(dependency) ? "" : ", or make both packages of one workspace whose root has the lockfile"
    }.`,
  );

function notSent(root: string, { files, leftOut }: ListedSource, dependency: LocalDependency, path: string): Finding | undefined {
  // a file of that name is the tarball, or a link to where the folder is
  if (path === "." || files.some((file) => `${file.path}/`.startsWith(`${path}/`) || path.startsWith(`${file.path}/`))) return undefined;
  const left = leftOut.find((one) => path === one.path || path.startsWith(`${one.path}/`));
  const ignoring = { gitignore: ".gitignore", shiplogignore: ".shiplogignore" }[left?.why as string];
  if (ignoring !== undefined)
    return missing(root, dependency, `which is left out of the source, because ${ignoring} names it`, `Remove it from ${ignoring}.`);
  return missing(
    root,
    dependency,
    "and the source holds nothing of that name",
    "Put it into a folder that is packed and correct the path, or publish it to a registry.",
  );
}

function missing(root: string, { from, name, spec, optional }: LocalDependency, why: string, mend: string): Finding {
  const made = /^link:/i.test(spec) && !why.startsWith("which is outside");
  const what = `${join(root, from, "package.json")} has ${name} as ${spec}, ${why}`;
  // such a link is installed without its folder, which the build may make: generated code, say
  if (made) return warningAt("dependency.missing", `${what}: builds have it where they make it.`, mend);
  return optional
    ? warningAt("dependency.missing", `${what}: builds are made without it.`, mend)
    : errorAt("dependency.missing", `${what}: no build has it.`, mend);
}

const isTarball = ({ spec }: LocalDependency): boolean => /\.(?:tgz|tar\.gz|tar)$/i.test(spec);

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, ""));
  } catch {
    return undefined; // the package manager says better what is wrong with it
  }
}
