import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Manager } from "../blueprint/sites-install.ts";
import { SITES_SCHEMA_FILE } from "../blueprint/sites-schema.ts";
import { layoutOf, managerOf } from "./app-layout.ts";
import { rangeFindings } from "./check-versions.ts";
import { withDevDependency } from "./edit-manifest.ts";
import { examineApp } from "./examine-app.ts";
import type { Finding } from "./finding.ts";
import { isError } from "./finding.ts";
import { openGit } from "./git.ts";
import { repositoryOf } from "./git-commit.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { isOwnBuild } from "./next-app.ts";
import { basePathOf } from "./next-config.ts";
import { readOpenNextConfig, streamsIn } from "./open-next-config.ts";
import { ownPackage } from "./own-package.ts";
import type { Package } from "./package-name.ts";
import { declaredSites, nearestSitesFile, SITES_FILE, sitesOf } from "./site-sources.ts";
import { OPEN_NEXT } from "./tested-versions.ts";
import { accessOf, repositoryIn, type Workflow, withoutWorkflow, workflowOf } from "./workflow.ts";

/** A file that would be written; `before` is undefined where there is none. */
export type Change = { readonly path: string; readonly before: string | undefined; readonly after: string };
/** A file that is somebody's already and stays as it is, and what would be in it. */
export type Kept = { readonly path: string; readonly why: string; readonly wanted: string };

export type InitPlan = {
  /** what paths are shown from: the repository, else the app's root */
  readonly base: string;
  readonly changes: readonly Change[];
  readonly kept: readonly Kept[];
  /** where and with what the app is installed, where it has to be */
  readonly install?: { readonly folder: string; readonly command: string } | undefined;
  /** what a person has to know or to do besides */
  readonly hints: readonly string[];
  /** what stays wrong */
  readonly findings: readonly Finding[];
  readonly site: string;
  /** the file that declares it, there or to be written */
  readonly sitesFile: string;
  /** what lets the runs of the workflow in; nothing where none is written */
  readonly access: readonly string[];
};

/** What is mended by what `init` writes, and by an install after it. */
const MENDED = ["open-next.missing", "next.config-missing", "lockfile.missing", "lockfile.stale"];

/** What an app lacks to be deployed. Reads, and writes nothing. */
export async function planInit(app: string, command: Package): Promise<InitPlan> {
  const found = layoutOf(app);
  const { root } = found.layout;
  const manager = managerOf(root);
  const manifest = await readManifest(app);
  const repository = repositoryOf(app);
  const base = repository ?? root;
  const sites = await sitesFile(app, root, manifest);
  const openNext = root === app || !(await readManifest(root)).wants.has("@opennextjs/aws") ? await openNextDependency(manifest) : {};
  const results = [
    sites,
    openNext,
    await nextConfig(app),
    ...(repository === undefined
      ? []
      : [await ignoreLine(relative(repository, sites.file).startsWith("..") ? repository : dirname(sites.file))]),
    ...(repository === undefined
      ? []
      : [await workflow(repository, { package: command, app, site: sites.site, sitesFile: sites.file, manager })]),
  ];
  const examined = await examineApp(app, { ownBuild: isOwnBuild(app, false), site: undefined });
  const changes = results.flatMap(({ change }) => change ?? []);
  const needsInstall =
    openNext.change !== undefined || examined.findings.some(({ code }) => code === "lockfile.missing" || code === "lockfile.stale");
  const { next } = examined.versions;
  return {
    base,
    changes,
    kept: results.flatMap(({ kept }) => kept ?? []),
    ...(needsInstall && { install: { folder: root, command: `${manager} install` } }),
    hints: [
      ...results.flatMap(({ hint }) => hint ?? []),
      ...(repository === undefined ? [`No workflow was made: ${root} is in no git repository.`] : []),
      ...(changes.length === 0 ? [] : managerHint(root, manager, (await readManifest(root)).packageManager)),
    ],
    findings: [
      ...examined.findings.filter((one) => isError(one) && !MENDED.includes(one.code)),
      ...(openNext.change === undefined || next === undefined ? [] : rangeFindings(next, OPEN_NEXT, manager)),
    ],
    site: sites.site,
    sitesFile: sites.file,
    access: results.flatMap(({ access }) => access ?? []),
  };
}

type Result = { readonly change?: Change; readonly kept?: Kept; readonly hint?: string; readonly access?: readonly string[] };

async function sitesFile(app: string, root: string, manifest: Manifest): Promise<Result & { file: string; site: string }> {
  const there = nearestSitesFile(app);
  const file = there ?? join(root, SITES_FILE);
  const declared = declaredSites(app, {}).map(({ site, folder }) => ({ site: site.name, folder }));
  const [own] = await sitesOf(app, declared);
  if (own !== undefined) return { file, site: own };
  const name = siteName(manifest, app);
  const [basePath, streaming] = [await basePathOf(app), streamsIn((await readOpenNextConfig(app)).code) === true];
  const site = {
    name,
    source: pathFrom(dirname(file), app),
    environments: [{ name: "production" }],
    ...(basePath ? { basePath } : {}),
    ...(streaming ? { streaming } : {}),
  };
  if (there !== undefined) return { file, site: name, kept: { path: file, why: `it has no site of ${app}`, wanted: asWritten(site) } };
  const schema = `./node_modules/${ownPackage}/${SITES_SCHEMA_FILE}`;
  const named = existsSync(join(dirname(file), schema)) ? { $schema: schema } : {};
  const text = asWritten({ ...named, sites: [site] });
  return { file, site: name, change: { path: file, before: undefined, after: text } };
}

/** JSON as a person writes it: an environment in one line. */
const asWritten = (value: object): string =>
  `${JSON.stringify(value, null, 2).replace(/\[\s+\{\s+("name": "production")\s+\}\s+\]/, "[{ $1 }]")}\n`;

/** From the package's name without its scope, or the folder's, as a site may be called. */
function siteName({ text }: Manifest, app: string): string {
  const { name } = JSON.parse(text.replace(/^\uFEFF/, "")) as { name?: unknown };
  const plain = (from: string) =>
    from
      .toLowerCase()
      .replace(/^@[^/]*\//, "")
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^[^a-z]+/, "")
      .slice(0, 20)
      .replace(/-+$/, "");
  return plain(typeof name === "string" ? name : "") || plain(basename(app)) || "web";
}

async function openNextDependency({ file, text, wants }: Manifest): Promise<Result> {
  if (wants.has("@opennextjs/aws")) return {};
  const after = withDevDependency(text, "@opennextjs/aws", OPEN_NEXT.version);
  if (after !== undefined) return { change: { path: file, before: text, after } };
  return {
    kept: { path: file, why: "its layout is unusual", wanted: `"devDependencies": { "@opennextjs/aws": "${OPEN_NEXT.version}" }\n` },
  };
}

async function nextConfig(app: string): Promise<Result> {
  const path = join(app, "next.config.mjs");
  if ((await basePathOf(app)) !== undefined) return {};
  return { change: { path, before: undefined, after: "export default {};\n" } };
}

/** `shiplog dev` keeps its data, with the key of its API, in `.shiplog` where it is started. */
async function ignoreLine(folder: string): Promise<Result> {
  const isIgnored = await openGit(folder)("check-ignore", "--quiet", ".shiplog/").then(
    () => true,
    () => false,
  );
  const path = join(folder, ".gitignore");
  const before = await readFile(path, "utf8").catch(() => undefined);
  // git may refuse to answer: what stands there is not written again
  if (isIgnored || /^\/?\.shiplog\/?\s*$/m.test(before ?? "")) return {};
  const eol = before?.includes("\r\n") ? "\r\n" : "\n";
  const gap = before === undefined || before === "" || before.endsWith("\n") ? "" : eol;
  return { change: { path, before, after: `${before ?? ""}${gap}.shiplog/${eol}` } };
}

async function workflow(
  repository: string,
  { app, sitesFile: sites, ...given }: Pick<Workflow, "package" | "site" | "manager"> & { app: string; sitesFile: string },
): Promise<Result> {
  const path = join(repository, ".github/workflows/deploy.yml");
  const wanted = { ...given, folder: pathFrom(repository, app), branch: await branchOf(repository) };
  const before = await readFile(path, "utf8").catch(() => undefined);
  const why = withoutWorkflow(wanted);
  if (why !== undefined) return before === undefined ? { hint: `No workflow was made: ${why}.` } : {};
  const after = workflowOf(wanted);
  if (before === undefined)
    return { change: { path, before, after }, access: accessOf(wanted, await remoteOf(repository), pathFrom(repository, sites)) };
  return before.replaceAll("\r\n", "\n") === after ? {} : { kept: { path, why: "it is there already", wanted: after } };
}

const remoteOf = (repository: string): Promise<string | undefined> =>
  openGit(repository)("config", "--get", "remote.origin.url").then(
    (text) => repositoryIn(text.toString().trim()),
    () => undefined,
  );

/** What the remote calls its main branch, else the one that is checked out. */
async function branchOf(repository: string): Promise<string> {
  const git = openGit(repository);
  const ask = (...words: string[]) =>
    git("symbolic-ref", "--quiet", "--short", ...words).then(
      (text) => text.toString().trim(),
      () => "",
    );
  return (await ask("refs/remotes/origin/HEAD")).replace(/^origin\//, "") || (await ask("HEAD")) || "main";
}

const managerHint = (root: string, manager: Manager, named: string | undefined): string[] =>
  manager === "npm" || named !== undefined
    ? []
    : [`${join(root, "package.json")} has no "packageManager": builds take the ${manager} that the lockfile is of, and not exactly yours.`];

const pathFrom = (from: string, to: string): string => relative(from, to).split(sep).join("/") || ".";
