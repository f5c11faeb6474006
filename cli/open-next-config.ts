import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { usageError } from "./failure.ts";

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

/**
 * Refuses what would be refused after the build, where the app's configuration says it plainly. The file is read and not
 * run: what it works out is seen after the build.
 *
 * @throws CliError (usage)
 */
export async function checkOpenNextConfig(app: string): Promise<void> {
  const { file, code } = await read(app);
  const found = UNSUPPORTED.find(({ asks }) => asks(code));
  if (found !== undefined) throw usageError(`${file} ${found.what}, which is not supported.`, `${found.mend}, then deploy again.`);
}

/**
 * Refuses an app whose split functions are plainly others than its environment was made for: an environment has an address
 * for each of its functions, and a CDN that knows them.
 *
 * @param functions names of the environment's functions, as the API gives them
 * @throws CliError (usage)
 */
export async function checkSplitFunctions(
  app: string,
  { site, environment, functions }: { readonly site: string; readonly environment: string; readonly functions: readonly string[] },
): Promise<void> {
  const { file, code } = await read(app);
  const asked = namedIn(code);
  // behind it, whatever the names of the stage begin with
  const before = `-${site}-${environment}-server-`;
  const declared = functions.filter((one) => one.includes(before)).map((one) => one.slice(one.indexOf(before) + before.length));
  if (asked === undefined || String(asked) === String(declared.sort())) return;
  throw usageError(
    `${file} ${split(asked, "has", "splits nothing")}, and ${site}/${environment} was made for ${split(declared, "", "the server alone")}.`,
    `Declare "functions" for the site "${site}" in shiplog.sites.json as they are in open-next.config.ts, each with its patterns ("functions": {"api": ["/api/*"]}), and put it into effect: deploy the infrastructure, or start shiplog dev again.`,
  );
}

const split = (names: readonly string[], before: string, none: string): string =>
  names.length === 0 ? none : `${before} the split function${names.length === 1 ? "" : "s"} ${names.join(", ")}`.trim();

/** The file, without its comments, and with no text in it but those of one word. */
const read = async (app: string): Promise<{ file: string; code: string }> => {
  const file = join(app, "open-next.config.ts");
  return { file, code: withoutWords(await readFile(file, "utf8").catch(() => "")) };
};

const withoutWords = (code: string): string =>
  code.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|(["'`])((?:\\[\s\S]|(?!\1)[^\\])*)\1/g, (_all, quote?: string, text = "") =>
    quote === undefined ? " " : `"${/^\w+$/.test(text) ? text : ""}"`,
  );

/** The names of an app's split functions, sorted; `undefined` where they are worked out, or are a text that is not read. */
const namedIn = (code: string): string[] | undefined => {
  const block = blockOf(code, "functions");
  if (block !== "") return keysOf(block);
  // of what is made elsewhere nothing is known
  const own = code.replace(/\bimport\s+type\b[^;\n]*/g, "");
  const isElsewhere = /\bfunctions\b(?!\s*:\s*\{\s*\})|\.\.\.|\b(?:import|from)\b|\w\s*\(/.test(own);
  return isElsewhere ? undefined : [];
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
