import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";

/** An input, or what the runner tells, cannot be used; the message says what to change. */
export class InputError extends Error {}

const NAME = /^[a-z][a-z0-9-]{0,19}$/;
const EXACT = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

/** The inputs, checked: they become words of a command. */
export function readInputs(env) {
  const given = (name) => (env[`SHIPLOG_INPUT_${name}`] ?? "").trim();
  const url = given("URL");
  if (!URL.canParse(url)) throw new InputError(`The input "url" must be the address of the engine's API, and is "${url}".`);
  for (const name of ["SITE", "ENVIRONMENT"])
    if (!NAME.test(given(name)))
      throw new InputError(`The input "${name.toLowerCase()}" must be a name as in the sites file, and is "${given(name)}".`);
  if (!EXACT.test(given("VERSION")))
    throw new InputError(`The input "version" must be an exact version, like 0.1.0, and is "${given("VERSION")}".`);
  const workspace = resolve(env.GITHUB_WORKSPACE ?? ".");
  return {
    url,
    site: given("SITE"),
    environment: given("ENVIRONMENT"),
    place: `${given("SITE")}/${given("ENVIRONMENT")}`,
    workspace,
    directory: resolve(workspace, given("DIRECTORY") || "."),
    timeout: given("TIMEOUT"),
    reason: given("REASON").replace(/\s+/g, " ").slice(0, 500),
    githubToken: given("GITHUB_TOKEN"),
    version: given("VERSION"),
  };
}

/** What the runner tells of this run. */
export function readRun(env) {
  const pullRequest = eventOf(env.GITHUB_EVENT_PATH).pull_request;
  const { GITHUB_SERVER_URL: server = "https://github.com", GITHUB_REPOSITORY: repository = "", GITHUB_RUN_ID: id = "" } = env;
  return {
    api: env.GITHUB_API_URL ?? "https://api.github.com",
    repository,
    /** a pull request's run has the commit of a merge that nobody wrote */
    sha: pullRequest?.head?.sha ?? env.GITHUB_SHA ?? "",
    branch: env.GITHUB_HEAD_REF || env.GITHUB_REF_NAME || "",
    pullRequest: pullRequest?.number,
    logUrl: `${server}/${repository}/actions/runs/${id}`,
    temp: env.RUNNER_TEMP ?? tmpdir(),
  };
}

function eventOf(file) {
  try {
    return JSON.parse(readFileSync(file ?? "", "utf8"));
  } catch {
    return {};
  }
}
