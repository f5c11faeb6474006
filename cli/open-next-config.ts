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
    asks: (code) => blockOf(code, "functions").trim() !== "",
    what: "splits the server into several functions (functions)",
    mend: 'Remove "functions" from it',
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
  const file = join(app, "open-next.config.ts");
  const code = withoutWords(await readFile(file, "utf8").catch(() => ""));
  const found = UNSUPPORTED.find(({ asks }) => asks(code));
  if (found !== undefined) throw usageError(`${file} ${found.what}, which is not supported.`, `${found.mend}, then deploy again.`);
}

/** Code without comments, and with every text empty. */
const withoutWords = (code: string): string =>
  code.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|(["'`])(?:\\[\s\S]|(?!\1)[^\\])*\1/g, (_all, quote?: string) =>
    quote === undefined ? " " : `${quote}${quote}`,
  );

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
