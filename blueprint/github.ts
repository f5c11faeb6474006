import * as z from "zod";

/** The issuer of GitHub's own tokens; an enterprise has another one. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
/** What a rule takes that names no events: what nobody starts who may not write to the repository. */
const USUAL_EVENTS: readonly string[] = ["push", "workflow_dispatch"];

const LOOPBACK: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];

/** True for an address that nobody on the way can read or change: https, or this machine. */
export const isSafeAddress = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.includes(hostname));
};

/** An address as it is compared: without the slashes at its end. */
export const bareAddress = (text: string): string => new URL(text).href.replace(/\/+$/, "");

const address = z.string().refine(isSafeAddress, "must be an https address (http for this machine alone)").transform(bareAddress);

const rule = {
  repository: z
    .string()
    .regex(/^[\w-]{1,100}\/[\w.-]{1,100}$/, 'must be owner and name as GitHub writes them, like "acme/web"')
    .describe("Owner and name of the repository"),
  repositoryId: z
    .string()
    .regex(/^\d{1,20}$/, 'must be the number of the repository as text, like "123456"')
    .describe("The repository's number: another one that gets the same name later has another")
    .optional(),
  ref: z
    .string()
    .regex(/^refs\/(heads|tags)\/[^\s~^:?*[\\]{1,240}$/, 'must be a whole ref, like "refs/heads/main": patterns are not taken')
    .describe("The branch or tag of the run")
    .optional(),
  environment: z.string().min(1).max(255).describe("GitHub's environment, which the job names").optional(),
  events: z
    .array(z.string().regex(/^[a-z_]{1,50}$/, 'must be the name of an event as GitHub has it, like "push"'))
    .min(1)
    .describe("What may have started the run")
    .default([...USUAL_EVENTS]),
};

/** Whose runs may deploy: every field is compared as it is. As the engine reads it, whatever a newer release adds. */
export const GrantedRule = z.object(rule);
export type GrantedRule = z.infer<typeof GrantedRule>;

/** The same, as somebody writes it. */
export const GithubRule = z
  .strictObject(rule)
  .refine(
    ({ ref, environment }) => ref !== undefined || environment !== undefined,
    "must name a ref, an environment of GitHub, or both: without one every branch of the repository could deploy",
  )
  .refine(
    ({ ref, events }) => ref === undefined || !events.includes("pull_request"),
    'cannot name a ref for "pull_request": the ref of such a run is refs/pull/<number>/merge. Name an environment of GitHub instead',
  );

/** Whose tokens an engine takes, as the sites file says it. */
export const GithubIssuer = z.strictObject({
  issuer: address.describe("Who signs the tokens; default: GitHub itself").optional(),
  audience: address
    .describe("The address of this engine's API, as tokens are asked for; default: the one that it was deployed with")
    .optional(),
});

/** The same, as the engine is told it. */
export const GithubTokens = z.object({ issuer: address, audience: address });
export type GithubTokens = z.infer<typeof GithubTokens>;

type Declared = {
  readonly github?: z.infer<typeof GithubIssuer> | undefined;
  readonly sites: readonly { readonly environments: readonly { readonly github: readonly GrantedRule[] }[] }[];
};

/** What the engine is told; nothing where no environment has a rule. */
export const githubTokens = ({ github = {}, sites }: Declared, url: string): GithubTokens | undefined =>
  sites.some(({ environments }) => environments.some((environment) => environment.github.length > 0))
    ? { issuer: github.issuer ?? GITHUB_ISSUER, audience: github.audience ?? url }
    : undefined;
