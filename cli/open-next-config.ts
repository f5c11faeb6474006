import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { STREAMING_WRAPPER } from "../blueprint/sites-runtime.ts";
import { errorAt, type Finding } from "./finding.ts";
import { withoutWords } from "./source-code.ts";

/** What Shiplog cannot make a release from, as OpenNext's configuration asks for it, and what to do. */
const UNSUPPORTED: readonly { asks(code: string): boolean; what: string; mend: string }[] = [
  {
    asks: (code) => /\bexternal\s*:\s*true\b/.test(blockOf(code, "middleware")),
    what: "bundles the middleware outside of the server (middleware.external)",
    mend: 'Remove "external" from it: the middleware then runs inside the server',
  },
  {
    asks: (code) => /\bruntime\s*:\s*"edge"|\bplacement\s*:\s*"global"/.test(blockOf(code, "functions")),
    what: "has a split function that runs on the edge (runtime or placement)",
    mend: 'Remove "runtime" and "placement" from it, and runtime = "edge" from its routes',
  },
  {
    asks: (code) => /\bgenerateDockerfile\s*:\s*true\b/.test(code),
    what: "makes a container of the server (generateDockerfile)",
    mend: 'Remove "generateDockerfile" from it',
  },
];

export type OpenNextConfig = {
  readonly file: string /** without comments, and with no text in it but those of one word */;
  readonly code: string;
};

/** The app's configuration as it is written. It is read and not run: what it works out is seen after the build. */
export const readOpenNextConfig = async (app: string): Promise<OpenNextConfig> => {
  const file = join(app, "open-next.config.ts");
  return { file, code: withoutWords(await readFile(file, "utf8").catch(() => "")) };
};

/** What would be refused after the build, where the configuration says it plainly. */
export const unsupportedIn = ({ file, code }: OpenNextConfig): Finding[] =>
  UNSUPPORTED.filter(({ asks }) => asks(code)).map(({ what, mend }) =>
    errorAt("open-next.unsupported", `${file} ${what}, which is not supported.`, `${mend}.`),
  );

/** What an environment is for, and who says so: `web/production was made`, or `the site web is declared` in the sites file. */
export type MadeFor = { readonly who: string; readonly site: string };

/**
 * Split functions that are plainly others than an environment has: it has an address for each of its functions, and a CDN
 * that knows them.
 *
 * @param declared names of the split functions
 */
export function splitMisfit({ file, code }: OpenNextConfig, { who, site }: MadeFor, declared: readonly string[]): Finding[] {
  const asked = namedIn(code);
  const known = [...declared].sort();
  if (asked === undefined || String(asked) === String(known)) return [];
  return [
    errorAt(
      "open-next.functions",
      `${file} ${split(asked, "has", "splits nothing")}, and ${who} for ${split(known, "", "the server alone")}.`,
      `Declare "functions" for the site "${site}" in shiplog.sites.json as they are in open-next.config.ts, each with its patterns ("functions": {"api": ["/api/*"]}), and put it into effect: deploy the infrastructure, or start shiplog dev again.`,
    ),
  ];
}

/** The split functions among those of an environment, as the API names them. */
export const splitFunctionsOf = ({ site, environment, functions }: { site: string; environment: string; functions: readonly string[] }) => {
  // behind it, whatever the names of the stage begin with
  const before = `-${site}-${environment}-server-`;
  return functions.filter((one) => one.includes(before)).map((one) => one.slice(one.indexOf(before) + before.length));
};

/** A server that plainly answers in another mode than the site's addresses. */
export function modeMisfit(
  { file, code }: OpenNextConfig,
  { name, streaming }: { readonly name: string; readonly streaming: boolean },
): Finding[] {
  const streams = streamsIn(code);
  if (streams === undefined || streams === streaming) return [];
  const declare = `declare "streaming": ${streams} for the site "${name}" in shiplog.sites.json and put it into effect`;
  const wrapper = `default.override.wrapper to "${STREAMING_WRAPPER}" in ${file}`;
  return [
    streams
      ? errorAt(
          "open-next.streaming",
          `${file} lets the server stream (wrapper "${STREAMING_WRAPPER}"), and the site "${name}" takes whole answers.`,
          `Remove the wrapper, or ${declare}.`,
        )
      : errorAt(
          "open-next.streaming",
          `The site "${name}" streams, and its server gives whole answers: ${file} names no wrapper for it.`,
          `Set ${wrapper}, or ${declare}.`,
        ),
  ];
}

/** Whether the server streams; `undefined` where it is worked out. */
export function streamsIn(code: string): boolean | undefined {
  if (code === "") return false;
  const override = blockOf(blockOf(code, "default"), "override");
  const [, wrapper] = /\bwrapper\s*:\s*"([^"]*)"/.exec(override) ?? [];
  if (wrapper !== undefined) return wrapper === STREAMING_WRAPPER;
  return /\bwrapper\b/.test(code) || isMadeElsewhere(code) ? undefined : false;
}

/** The CPU that the image function's sharp is installed for, as it is written: `arm64`, `x64`. */
export const imageCpuIn = ({ code }: OpenNextConfig): string | undefined =>
  /\barch\s*:\s*"(\w+)"/.exec(blockOf(code, "imageOptimization"))?.[1];

const split = (names: readonly string[], before: string, none: string): string =>
  names.length === 0 ? none : `${before} the split function${names.length === 1 ? "" : "s"} ${names.join(", ")}`.trim();

/** The names of an app's split functions, sorted; `undefined` where they are worked out, or are a text that is not read. */
const namedIn = (code: string): string[] | undefined => {
  const block = blockOf(code, "functions");
  if (block !== "") return keysOf(block);
  return /\bfunctions\b(?!\s*:\s*\{\s*\})/.test(code) || isMadeElsewhere(code) ? undefined : [];
};

/** Of what is made elsewhere nothing is known. */
const isMadeElsewhere = (code: string): boolean => {
  const own = code.replace(/\bimport\s+type\b[^;\n]*/g, "");
  return /\.\.\.|\b(?:import|from)\b|\w\s*\(/.test(own);
};

/** The keys of an object's outermost level, sorted; `undefined` where one of them is worked out. */
const keysOf = (block: string): string[] | undefined => {
  let outer = block;
  for (let before = ""; before !== outer; ) {
    before = outer;
    outer = outer.replace(/\{[^{}]*\}|\[[^[\]]*\]|\([^()]*\)/g, ";");
  }
  const entries = outer
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const keys = entries.map((entry) => /^"?(\w+)"?\s*:/.exec(entry)?.[1]);
  return keys.includes(undefined) ? undefined : (keys as string[]).sort();
};

/** What is between the braces after a key; "" where there is no such key. */
const blockOf = (code: string, key: string): string => {
  const opened = new RegExp(`\\b${key}\\s*:\\s*\\{`).exec(code);
  if (opened === null) return "";
  const from = opened.index + opened[0].length;
  for (let at = from, depth = 1; at < code.length; at++) {
    if (code[at] === "{") depth += 1;
    if (code[at] === "}") depth -= 1;
    if (depth === 0) return code.slice(from, at);
  }
  return "";
};
