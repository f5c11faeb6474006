import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import type { TokenSource } from "../client/http.ts";
import type { AccessKey } from "../local/endpoint/access-key.ts";
import { usageError } from "./failure.ts";
import { githubTokenSource } from "./github-token.ts";

/** Where the API is and how to prove who we are. The token goes nowhere but into the header of a request to `url`. */
export type Connection = {
  readonly url: string;
  /** that of a job of GitHub Actions is asked for when it is needed */
  readonly token: string | TokenSource;
  /** who told us, for messages: `SHIPLOG_URL` or the path of connection.json */
  readonly source: string;
  /** the local AWS behind a local engine; nothing where the engine is on AWS itself */
  readonly endpoint?: string | undefined;
  /** where the sites' apps are on this machine; a local engine tells it */
  readonly sites?: readonly SiteSource[] | undefined;
  /** what requests to `endpoint` are signed with */
  readonly credentials?: AccessKey | undefined;
};

/** The app of a site: an absolute folder. */
export type SiteSource = {
  readonly site: string;
  readonly folder: string;
  /** the sites file says how it is built */
  readonly ownBuild?: boolean | undefined;
};

/** Written by `shiplog dev` with mode 0600. */
const ConnectionFile = z.object({
  url: z.url(),
  token: z.string().min(1),
  endpoint: z.url().optional(),
  sites: z.array(z.object({ site: z.string(), folder: z.string(), ownBuild: z.boolean().optional() })).optional(),
  credentials: z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) }).optional(),
});

/**
 * Finds the connection: the folder of `--data`, else SHIPLOG_URL with SHIPLOG_TOKEN or with what GitHub gives a job, else the folder of SHIPLOG_DATA,
 * else the nearest `.shiplog` from `folder` upward. A token is never taken from the command line: other users of the
 * machine can read that.
 */
export function findConnection(
  data: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
): Connection {
  if (data !== undefined)
    return readConnection(resolve(folder, data)) ?? missing(`There is no connection.json in ${resolve(folder, data)}.`);

  const { SHIPLOG_URL: url, SHIPLOG_TOKEN: token, SHIPLOG_DATA: named } = environment;
  if (url && token) return { url: safeUrl(url), token, source: "SHIPLOG_URL" };
  if (url) return { url: safeUrl(url), token: githubTokenSource(url, environment) ?? noToken(environment), source: "SHIPLOG_URL" };
  if (token) throw usageError("SHIPLOG_TOKEN is set, but SHIPLOG_URL is not.", "Set SHIPLOG_URL to the address of the engine's API.");

  if (named)
    return readConnection(resolve(folder, named)) ?? missing(`SHIPLOG_DATA names ${named}, and there is no connection.json in it.`);
  for (let here = resolve(folder); ; here = dirname(here)) {
    const found = readConnection(join(here, ".shiplog"));
    if (found !== undefined) return found;
    if (here === dirname(here)) return missing(`There is no .shiplog/connection.json in ${resolve(folder)} or a folder above it.`);
  }
}

function readConnection(folder: string): Connection | undefined {
  const file = join(folder, "connection.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw usageError(`${file} cannot be read: ${(error as Error).message}.`, "Check who owns it, or start `shiplog dev` again.");
  }
  const parsed = ConnectionFile.safeParse(json(text));
  if (!parsed.success) throw usageError(`${file} is damaged.`, "Delete it and start `shiplog dev` again: it writes a new one.");
  return { ...parsed.data, source: file };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A token must not cross a network in the clear. */
function safeUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw usageError(`SHIPLOG_URL "${text}" is not an address.`, "Write it with https://, for example https://shiplog.example.com.");
  if (url.protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(url.hostname))
    throw usageError(`SHIPLOG_URL "${text}" would send the token unencrypted.`, "Use https://; http:// is for this machine only.");
  return text;
}

function noToken({ GITHUB_ACTIONS }: Readonly<Record<string, string | undefined>>): never {
  throw usageError(
    "SHIPLOG_URL is set, but SHIPLOG_TOKEN is not.",
    GITHUB_ACTIONS === "true"
      ? "Give the job `permissions: id-token: write` (and `contents: read`), so that it can prove who it is; or set SHIPLOG_TOKEN."
      : "Set SHIPLOG_TOKEN to a token of that engine.",
  );
}

function missing(what: string): never {
  throw usageError(
    `Shiplog does not know which engine to talk to. ${what}`,
    "Start a local engine with `shiplog dev`, name the folder of one that runs (--data), or set SHIPLOG_URL and SHIPLOG_TOKEN.",
  );
}
