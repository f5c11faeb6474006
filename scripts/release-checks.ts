/** What was looked at before a release, and what it says. */
export type Check = { readonly what: string; readonly wrong: readonly string[] };

export type Prepared = {
  readonly version: string;
  /** of package-lock.json */
  readonly lockVersion: string;
  readonly changelog: string;
  /** lines of `git status --porcelain` */
  readonly uncommitted: readonly string[];
  /** tags of the commit */
  readonly tags: readonly string[];
  /** every file of a tarball, by the package's name */
  readonly packages: Readonly<Record<string, readonly Packed[]>>;
  /** the folder that they were built in */
  readonly builtIn: string;
};
export type Packed = { readonly path: string; readonly text: string };

/** Nobody who installs a package needs these, or should have them. */
const NOT_FOR_USERS = /(^|\/)(test|demo|examples|node_modules|\.git|\.ci|\.sst|\.shiplog)\/|(^|\/)\.env|\.test\.|\.tgz$/;
const NEEDED = ["package.json", "README.md", "LICENSE", "CHANGELOG.md"];

/** Everything that must hold before a version is published, each with what is wrong. */
export const releaseChecks = (prepared: Prepared): Check[] => [
  { what: `version ${prepared.version}`, wrong: versionFaults(prepared) },
  { what: "changelog", wrong: changelogFaults(prepared) },
  {
    what: "committed",
    wrong: prepared.uncommitted.length === 0 ? [] : [`not committed: ${prepared.uncommitted.map((line) => line.slice(3)).join(", ")}`],
  },
  ...Object.entries(prepared.packages).map(([name, files]) => ({ what: name, wrong: packageFaults(prepared, files) })),
];

const versionFaults = ({ version, lockVersion, tags }: Prepared): string[] => [
  ...(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version) ? [] : [`"${version}" is no version of semver`]),
  ...(lockVersion === version ? [] : [`package-lock.json says ${lockVersion}: npm install --package-lock-only`]),
  ...(tags.includes(`v${version}`) ? [] : [`the commit is not tagged: git tag v${version}`]),
];

const changelogFaults = ({ version, changelog }: Prepared): string[] => {
  const heading = new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d{2}-\\d{2}$`, "m");
  const [, unreleased = ""] = /^## \[Unreleased\]\n([\s\S]*?)(?=^## \[|$(?![\s\S]))/m.exec(changelog) ?? [];
  return [
    ...(heading.test(changelog) ? [] : [`it has no heading "## [${version}] - <date>"`]),
    ...(unreleased.trim() === "" ? [] : ["changes stand under Unreleased: move them below the version"]),
  ];
};

const packageFaults = ({ version, builtIn }: Prepared, files: readonly Packed[]): string[] => {
  const paths = files.map(({ path }) => path);
  const manifest = files.find(({ path }) => path === "package.json");
  const said = manifest === undefined ? undefined : (JSON.parse(manifest.text) as { version?: string }).version;
  return [
    ...NEEDED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
    ...paths.filter((path) => NOT_FOR_USERS.test(path)).map((path) => `${path} is in it`),
    ...files.filter(({ text }) => text.includes(builtIn)).map(({ path }) => `${path} names the folder that it was built in`),
    ...(said === version ? [] : [`its package.json says ${said ?? "no version"}`]),
  ];
};
