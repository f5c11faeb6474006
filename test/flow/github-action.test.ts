import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import metadata from "../../package.json" with { type: "json" };
import { type GithubIssuer, PUSH, startGithubIssuer } from "../support/github-issuer.ts";
import { GITHUB_TOKEN, startGithubServer } from "../support/github-server.ts";
import { type ActionRun, commandsIn, runAction } from "../support/run-action.ts";
import { startWorld, type World } from "../support/world.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const PULL = { ...PUSH, event_name: "pull_request", ref: "refs/pull/7/merge", environment: "preview" };
/** A branch as git takes it, written by somebody who means harm. */
const BRANCH = "x$(touch$IFS-injected)`touch$IFS-injected`;::error::no|#@all";

let world: World;
let issuer: GithubIssuer;
let github: Awaited<ReturnType<typeof startGithubServer>>;

beforeAll(async () => {
  issuer = await startGithubIssuer();
  github = await startGithubServer();
  world = await startWorld({
    environments: [],
    github: { issuer: issuer.url },
    site: {
      environments: [
        { name: "production", github: [{ repository: "acme/web", ref: "refs/heads/main" }] },
        { name: "preview", github: [{ repository: "acme/web", environment: "preview", events: ["pull_request"] }] },
      ],
    },
  });
});
beforeEach(() => {
  issuer.state.claims = PUSH;
  issuer.state.lifeSeconds = 300;
  issuer.state.given = [];
  github.state.asked = [];
  github.state.forbidden = [];
});
afterAll(async () => {
  await Promise.all([world.close(), issuer.close(), github.close()]);
});

type Given = { readonly app: string; readonly inputs?: Record<string, string>; readonly env?: NodeJS.ProcessEnv; readonly event?: object };
const run = async ({ app, inputs = {}, env = {}, event = {} }: Given): Promise<ActionRun & { folder: string }> => {
  const folder = await mkdtemp(join(world.folder, "job-"));
  const eventFile = join(folder, "event.json");
  await writeFile(eventFile, JSON.stringify(event));
  const said = await runAction(
    folder,
    { url: world.dev.apiUrl, site: "web", directory: app, "github-token": GITHUB_TOKEN, ...inputs },
    {
      ...issuer.jobEnv,
      GITHUB_API_URL: github.url,
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REPOSITORY: "acme/web",
      GITHUB_RUN_ID: "1234567",
      GITHUB_SHA: SHA,
      GITHUB_REF_NAME: "main",
      GITHUB_WORKSPACE: app,
      GITHUB_EVENT_PATH: eventFile,
      ...env,
    },
  );
  for (const token of issuer.state.given) expect(said.log + said.summary + JSON.stringify(said.outputs)).not.toContain(token);
  return { ...said, folder };
};
const statesOf = (id: number | undefined): unknown[] => (github.state.statuses.get(id ?? 0) ?? []).map(({ state }) => state).reverse();

describe("the action", () => {
  it("brings a push live, and tells of it", async () => {
    const { code, log, outputs, summary, npx } = await run({ app: await world.app(), inputs: { reason: "-y --site=docs\n the header" } });
    expect([code, log]).toEqual([0, expect.stringContaining("live        in")]);
    const url = world.urlOf("production");
    const { live } = await world.api.environment("web", "production");
    expect(outputs).toEqual({ url, deployment: live?.deploymentId, status: "success" });
    expect(npx).toMatchObject({ yes: "--yes", name: `@shiplog-deploy/cli@${metadata.version}` });
    expect(npx?.env).toEqual({ SHIPLOG_URL: world.dev.apiUrl, npm_config_ignore_scripts: "true" });
    for (const words of [
      "### web/production is live",
      `| deployment | \`${live?.deploymentId}\` (#1) |`,
      `| address | <${url}/> |`,
      "| live before | nothing |",
      "| commit | `0123456` of `main` |",
      "| took | ",
      "| run | <https://github.com/acme/web/actions/runs/1234567> |",
    ])
      expect(summary).toContain(words);
    expect(commandsIn(log)).toEqual([`::add-mask::${GITHUB_TOKEN}`]);

    const deployment = await world.api.deployment(String(live?.deploymentId));
    expect([deployment.actor, deployment.why]).toEqual(["github:octocat", "-y --site=docs the header"]);
    expect(github.state.asked[0]).toMatchObject({
      call: "POST deployments",
      body: {
        ref: SHA,
        environment: "web/production",
        auto_merge: false,
        required_contexts: [],
        transient_environment: false,
        production_environment: true,
      },
    });
    const [shown] = github.state.deployments;
    expect(statesOf(shown?.id)).toEqual(["queued", "in_progress", "success"]);
    expect(github.state.statuses.get(shown?.id ?? 0)?.[0]).toMatchObject({
      environment_url: url,
      log_url: "https://github.com/acme/web/actions/runs/1234567",
    });
  });

  it("says what was live before, and marks that as inactive on GitHub", async () => {
    const [before] = github.state.deployments;
    const { live } = await world.api.environment("web", "production");
    const { code, summary } = await run({ app: await world.app() });
    expect([code, summary]).toEqual([0, expect.stringContaining(`| live before | \`${live?.deploymentId}\` (#1) |`)]);
    expect(statesOf(before?.id)).toEqual(["queued", "in_progress", "success", "inactive"]);
    expect(statesOf(github.state.deployments[0]?.id).at(-1)).toBe("success");
  });

  it("goes on with another token where one comes to its end before the deployment does", async () => {
    issuer.state.lifeSeconds = 62;
    const { code } = await run({ app: await world.app({ takes: 5_000 }) });
    expect([code, issuer.state.given.length > 2]).toEqual([0, true]);
  });

  it("shows a build's error where it is", async () => {
    const app = await world.app({
      failsWith: "./app/page.tsx:3:9\nType error: Type 'string' is not assignable to type 'number'.\n::error file=other.ts::no",
    });
    await mkdir(join(app, "app"), { recursive: true });
    await writeFile(join(app, "app/page.tsx"), "");
    const { code, log, outputs, summary } = await run({ app });
    expect([code, outputs.status]).toEqual([5, "failed"]);
    expect(commandsIn(log)).toEqual([
      `::add-mask::${GITHUB_TOKEN}`,
      "::error file=app/page.tsx,line=3,col=9,title=The build failed::app/page.tsx:3:9: Type error: Type 'string' is not assignable to type 'number'.",
    ]);
    expect(summary).toContain("| failed step | `build` |");
    expect(summary).toMatch(/```text\n[^`]*Type error: Type 'string'/);
    const [shown] = github.state.deployments;
    expect(statesOf(shown?.id)).toEqual(["queued", "in_progress", "failure"]);
    expect(github.state.statuses.get(shown?.id ?? 0)?.[0]?.description).toContain("app/page.tsx:3:9");
  });

  it("comments once on a pull request, whatever its branch is called, and runs nothing of that name", async () => {
    issuer.state.claims = PULL;
    const event = { pull_request: { number: 7, head: { sha: "f".repeat(40) } } };
    const env = { GITHUB_HEAD_REF: BRANCH, GITHUB_REF_NAME: "7/merge" };
    github.state.comments.push({ id: 1, body: "<!-- shiplog: web/preview -->\nmine", user: { type: "User" } });
    for (const sequence of [1, 2]) {
      const { code, log, outputs, summary } = await run({ app: await world.app(), inputs: { environment: "preview" }, env, event });
      expect([code, outputs.status]).toEqual([0, "success"]);
      expect(commandsIn(log)).toEqual([`::add-mask::${GITHUB_TOKEN}`]);
      expect(summary).toContain(`\`\`${BRANCH.replace("|", "\\|")}\`\``);
      const [, comment, more] = github.state.comments;
      expect(more).toBeUndefined();
      expect(comment?.body).toMatch(new RegExp(`^<!-- shiplog: web/preview -->\n### web/preview is live[^]*#${sequence}\\)`));
    }
    expect(github.state.asked[0]?.body).toMatchObject({ ref: "f".repeat(40), transient_environment: true, production_environment: false });
  });

  it("says which rule does not fit, and deploys nothing", async () => {
    issuer.state.claims = { ...PUSH, ref: "refs/heads/topic::error::injected" };
    const { code, log, outputs, summary } = await run({ app: await world.app() });
    expect([code, outputs]).toEqual([4, { url: "", deployment: "", status: "error" }]);
    const [, error, ...more] = commandsIn(log);
    expect(error).toMatch(
      /^::error title=Shiplog::No rule of web\/production fits .*rule 1: its ref is refs\/heads\/main, and this run's is/,
    );
    expect(more).toEqual([]);
    expect(summary).toContain("### web/production was not deployed");
    expect(statesOf(github.state.deployments[0]?.id)).toEqual(["queued", "error"]);
  });

  it("goes its way where GitHub does not let it show anything", async () => {
    github.state.forbidden = ["POST deployments"];
    const { code, log, outputs } = await run({ app: await world.app() });
    expect([code, outputs.status]).toEqual([0, "success"]);
    expect(commandsIn(log)[1]).toContain("::warning::The deployment could not be shown on GitHub: POST deployments was answered 403.");
  });

  it("says what the job lacks where it may not ask for a token", async () => {
    const { code, log } = await run({
      app: await world.app(),
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" },
    });
    expect([code, commandsIn(log)[1]]).toEqual([2, expect.stringContaining("`permissions: id-token: write`")]);
  });

  it.each([
    ["url", "shiplog.example.com"],
    ["site", "web; touch injected"],
    ["site", "web\n::error::injected"],
    ["environment", "../docs"],
    ["version", "latest"],
    ["version", "^0.1.0"],
  ])("takes no %s like %s", async (name, value) => {
    const { code, log, npx } = await run({ app: await world.app(), inputs: { [name]: value } });
    expect([code, npx, commandsIn(log)]).toEqual([2, undefined, [expect.stringContaining(`The input "${name}" must be`)]]);
  });
});
