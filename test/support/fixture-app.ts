import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Architecture, fixtureFiles, type OutputFault } from "./fixture-output.ts";

export type FixtureApp = {
  /** What is wrong with the output that its build leaves; see `writeFixtureOutput`. */
  fault?: OutputFault;
  architecture?: Architecture;
  /** As in next.config; see `writeFixtureOutput`. */
  basePath?: string;
  assetPrefix?: string;
  /** Split functions, and an app of the Pages Router; see `writeFixtureOutput`. */
  split?: Readonly<Record<string, readonly string[]>>;
  pagesRouter?: boolean;
  /** More files of its `public/`; see `writeFixtureOutput`. */
  publicFiles?: number;
  /** Its server answers 500 as long as there is a file with this absolute path; a number in it says how often. */
  downWhile?: string;
  /** How long the build phase takes, in ms: room to cancel it, or to let a newer deployment overtake. Default 0. */
  takes?: number;
  /** The build waits until there is a file with this absolute path: a test says when it may end. */
  waitsFor?: string;
  /** The build prints this and exits with 1. */
  failsWith?: string;
};

/** Stands in the template for the release's id, which only the build's environment knows. */
const PLACEHOLDER = "RELEASE_ID_PLACEHOLDER";

/**
 * Writes an app folder whose buildspec makes an OpenNext output in a blink, so that a whole deployment through CodeBuild is quick.
 * The build takes its release id from `DEPLOYMENT_ID`, as a real one does, and exports `OPEN_NEXT_VERSION`.
 */
export async function writeFixtureApp(dir: string, app: FixtureApp = {}): Promise<void> {
  const template = fixtureFiles({
    releaseId: PLACEHOLDER,
    ...(app.architecture ? { architecture: app.architecture } : {}),
    ...(app.fault ? { fault: app.fault } : {}),
    ...(app.basePath ? { basePath: app.basePath } : {}),
    ...(app.assetPrefix ? { assetPrefix: app.assetPrefix } : {}),
    ...(app.split ? { split: app.split } : {}),
    ...(app.pagesRouter ? { pagesRouter: app.pagesRouter } : {}),
    ...(app.publicFiles ? { publicFiles: app.publicFiles } : {}),
    ...(app.downWhile ? { downWhile: app.downWhile } : {}),
  });
  await mkdir(dir, { recursive: true });
  await Promise.all([
    writeFile(
      join(dir, "package.json"),
      `${JSON.stringify({ name: "fixture-app", private: true, type: "module", dependencies: { next: "*", "@opennextjs/aws": "*" } }, null, 2)}\n`,
    ),
    writeFile(join(dir, "template.json"), JSON.stringify(template)),
    writeFile(join(dir, "make-output.mjs"), makeOutput(app)),
    writeFile(join(dir, "buildspec.yml"), BUILDSPEC),
  ]);
}

const makeOutput = ({
  takes = 0,
  waitsFor,
  failsWith,
}: FixtureApp): string => `import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const id = process.env.DEPLOYMENT_ID;
if (!id || id !== process.env.BUILD_ID) throw new Error("DEPLOYMENT_ID and BUILD_ID must be set, to the same value");
await new Promise((done) => setTimeout(done, ${takes}));
${waitsFor === undefined ? "" : `while (!existsSync(${JSON.stringify(waitsFor)})) await new Promise((done) => setTimeout(done, 20));\n`}${failsWith === undefined ? "" : `console.error(${JSON.stringify(failsWith)});\nprocess.exit(1);\n`}
const template = readFileSync("template.json", "utf8").replaceAll("${PLACEHOLDER}", id);
for (const [path, content] of Object.entries(JSON.parse(template))) {
  mkdirSync(dirname(join(".open-next", path)), { recursive: true });
  writeFileSync(join(".open-next", path), content);
}
console.log("made the output of " + id);
`;

const BUILDSPEC = `version: 0.2
env:
  exported-variables:
    - OPEN_NEXT_VERSION
phases:
  pre_build:
    commands:
      - export OPEN_NEXT_VERSION=4.1.12
  build:
    commands:
      - node make-output.mjs
artifacts:
  base-directory: .open-next
  files:
    - "**/*"
  enable-symlinks: yes
`;
