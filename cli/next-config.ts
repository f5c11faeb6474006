import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { errorAt, type Finding, warningAt } from "./finding.ts";
import { withoutComments, withoutWords } from "./source-code.ts";

/** Settings of Next.js under which a release's own id does not reach its pages. */
const AGAINST_IDS = ["useSkewCookie", "runtimeServerDeploymentId"];

/**
 * What next.config plainly asks for and cannot be deployed, or may surprise. It is read and not run. `deploymentId` and
 * `generateBuildId` may be set: the engine's id wins over them.
 *
 * @param basePath the site's, where it is known and has split functions
 */
export async function checkNextConfig(app: string, basePath: string | undefined): Promise<Finding[]> {
  const config = await readConfig(app);
  if (config === undefined)
    return [
      errorAt(
        "next.config-missing",
        `${app} has no next.config file, and OpenNext builds no app without one.`,
        "Make an empty one: echo 'export default {};' > next.config.mjs",
      ),
    ];
  const { file, text } = config;
  const code = withoutWords(text);
  const findings: Finding[] = [];
  if (/\boutput\s*:\s*"export"/.test(code))
    findings.push(
      errorAt(
        "next.export",
        `${file} has output: "export", so the build leaves no server that could be deployed.`,
        "Remove output from it.",
      ),
    );
  const own = basePathIn(text);
  if (own !== undefined && basePath !== undefined && own !== basePath)
    findings.push(
      warningAt(
        "next.base-path",
        `${file} has the basePath "${own}", and the site "${basePath}": on AWS a release of it is refused, since the site has split functions.`,
        `Declare "basePath": "${own}" at the site in shiplog.sites.json, and deploy the infrastructure.`,
      ),
    );
  for (const setting of AGAINST_IDS.filter((one) => new RegExp(`\\b${one}\\s*:\\s*true`).test(code)))
    findings.push(
      warningAt(
        "next.ids",
        `${file} has experimental.${setting}, under which pages do not ask for the files of their own release.`,
        "Remove it.",
      ),
    );
  return findings;
}

/** The basePath that next.config plainly has, "" for none; `undefined` where the app has no next.config. */
export const basePathOf = async (app: string): Promise<string | undefined> => {
  const config = await readConfig(app);
  return config && (basePathIn(config.text) ?? "");
};

const basePathIn = (text: string): string | undefined => /\bbasePath\s*:\s*(["'`])([^"'`$]*)\1/.exec(withoutComments(text))?.[2];

async function readConfig(app: string): Promise<{ file: string; text: string } | undefined> {
  const name = (await readdir(app)).filter((one) => one.startsWith("next.config.")).sort()[0];
  return name === undefined ? undefined : { file: join(app, name), text: await readFile(join(app, name), "utf8") };
}
