import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ACCOUNT, REGION } from "../http.ts";
import { type Build, PhaseFailed } from "./build.ts";
import type { Buildspec } from "./buildspec.ts";

/** What a build may see of the endpoint's own environment: how to find programs and how to reach the package registry. */
const PASSED_ON =
  /^(LANG|LC_\w+|TZ|https?_proxy|all_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|npm_config_(registry|(https?_?)?proxy|no_?proxy|ca|cafile|strict_ssl|userconfig|globalconfig|cache|fetch_\w+|@.*|\/\/.*|\w*authtoken))$/i;

/** Of one build: `whole` holds the others; `global` is for what npm installs for every folder. */
export type BuildFolders = { readonly whole: string; readonly src: string; readonly tmp: string; readonly global: string };

/** The environment of a build's shell before the variables that the build declares. */
export function baseEnvironment(build: Build, folders: BuildFolders, parent: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(parent).filter((entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined);
  return {
    LANG: "C.UTF-8",
    ...Object.fromEntries(kept),
    PATH: [dirname(process.execPath), join(folders.global, "bin"), ...ownPath(parent.PATH ?? "/usr/local/bin:/usr/bin:/bin")].join(
      delimiter,
    ),
    HOME: parent.HOME ?? homedir(),
    TMPDIR: folders.tmp,
    GIT_CEILING_DIRECTORIES: folders.whole,
    // `npm install --global` puts a package beside Node otherwise, and this Node may be one of the engine's own packages
    npm_config_prefix: folders.global,
    CI: "true",
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCOUNT_ID: ACCOUNT,
    CODEBUILD_CI: "true",
    CODEBUILD_BUILD_ID: build.id,
    CODEBUILD_BUILD_ARN: build.arn,
    CODEBUILD_BUILD_NUMBER: String(build.buildNumber),
    CODEBUILD_BUILD_SUCCEEDING: "1",
    CODEBUILD_INITIATOR: build.initiator,
    CODEBUILD_LOG_PATH: build.logs.streamName,
    CODEBUILD_PROJECT_ARN: `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/${build.projectName}`,
    CODEBUILD_PUBLIC_BUILD_URL: "",
    CODEBUILD_RESOLVED_SOURCE_VERSION: build.resolvedSourceVersion ?? "",
    CODEBUILD_SOURCE_VERSION: build.sourceVersion ?? "",
    CODEBUILD_SOURCE_REPO_URL: build.source.location ?? "",
    CODEBUILD_SRC_DIR: folders.src,
    CODEBUILD_START_TIME: String(Math.round(build.startTime * 1000)),
  };
}

/** npm puts the bin folders of the package it runs for first: an app must not find the endpoint's own tools there. */
const ownPath = (path: string) => path.split(delimiter).filter((folder) => !/node_modules\/\.bin\/?$|node-gyp-bin\/?$/.test(folder));

/**
 * The variables that a build declares, secrets fetched; the project's and StartBuild's win over the buildspec's.
 * `secrets` lists the values that must appear nowhere.
 */
export async function declaredEnvironment(
  build: Build,
  buildspec: Buildspec,
  secret: (secretId: string) => Promise<string>,
): Promise<{ values: Record<string, string>; secrets: string[] }> {
  const values: Record<string, string> = { ...buildspec.env.variables };
  const secrets: string[] = [];
  const take = async (name: string, reference: string) => {
    const value = await secretValue(name, reference, secret);
    values[name] = value;
    secrets.push(value);
  };
  for (const [name, reference] of Object.entries(buildspec.env["secrets-manager"])) await take(name, reference);
  for (const { name, value, type } of build.environment.environmentVariables) {
    if (type === "SECRETS_MANAGER") await take(name, value);
    else values[name] = value;
  }
  return { values, secrets };
}

/** `reference`: "id", "id:json-key" or "id:json-key:stage:version", where the id may be an ARN. */
async function secretValue(name: string, reference: string, secret: (secretId: string) => Promise<string>): Promise<string> {
  const parts = reference.split(":");
  const idParts = reference.startsWith("arn:") ? 7 : 1;
  const id = parts.slice(0, idParts).join(":");
  const key = parts[idParts];
  const failed = (why: string, cause?: unknown) =>
    new PhaseFailed("Secrets Manager Error Message", `the variable ${name} is not set: ${why}`, { cause });
  const text = await secret(id).catch((cause: unknown) => {
    throw failed(`the secret ${id} cannot be read (${(cause as Error).name}); create it or correct the name`, cause);
  });
  if (!key) return text;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(text);
  } catch {
    throw failed(`the secret ${id} is not JSON, so it has no key ${key}`); // no cause: the parser's message quotes the secret
  }
  const value = fields[key];
  if (value === undefined || value === null) throw failed(`the secret ${id} has no key ${key}`);
  return typeof value === "string" ? value : JSON.stringify(value);
}
