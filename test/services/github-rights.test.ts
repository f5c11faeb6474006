import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { GrantedRule } from "../../blueprint/github.ts";
import { awsClients, type Clients } from "../../engine/aws/clients.ts";
import { engine as engineOf, systemClock } from "../../engine/wiring/engine.ts";
import { clientOptions } from "../../local/client-options.ts";
import { type Endpoint, startEndpoint } from "../../local/endpoint/endpoint.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { type GithubIssuer, startGithubIssuer } from "../support/github-issuer.ts";
import { siteConfigOf } from "../support/site-config.ts";

const AUDIENCE = "https://shiplog.example.com";
const TOKEN = "a-token-of-the-engine";
const rule = (more: Partial<GrantedRule>): GrantedRule => ({ repository: "acme/web", events: ["push", "workflow_dispatch"], ...more });
const zip = Buffer.from("a zip, more or less");
const sha256 = hash("sha256", zip, "hex");
// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at from outside, as a client sees its JSON
type Answer = { status: number; body: any };

let folder: string;
let endpoint: Endpoint;
let clients: Clients;
let issuer: GithubIssuer;
let app: ReturnType<typeof createApi>;
let plain: ReturnType<typeof createApi>;
const reported: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-github-test-"));
  endpoint = await startEndpoint({ dataDir: folder });
  clients = awsClients(clientOptions(endpoint));
  await provisionEngine(clients);
  issuer = await startGithubIssuer();
  const sites = [
    { ...siteConfigOf("web", "production"), github: [rule({ ref: "refs/heads/main" }), rule({ environment: "production" })] },
    { ...siteConfigOf("web", "preview"), github: [rule({ environment: "preview", events: ["pull_request"] })] },
    { ...siteConfigOf("web", "numbered"), github: [rule({ ref: "refs/heads/main", repositoryId: "4712" })] },
    { ...siteConfigOf("web", "staging"), github: [rule({ ref: "refs/heads/staging", environment: "staging" })] },
    { ...siteConfigOf("docs", "production"), github: [rule({ repository: "acme/docs", ref: "refs/heads/hidden" })] },
  ];
  const config = { ...localNames, sites, tokens: { default: hash("sha256", TOKEN, "hex") } };
  const github = { issuer: issuer.url, audience: AUDIENCE };
  app = createApi(apiPorts(engineOf({ ...config, github }, clients, systemClock, (line) => reported.push(line))));
  plain = createApi(apiPorts(engineOf(config, clients, systemClock, (line) => reported.push(line))));
}, 60_000);
beforeEach(() => {
  issuer.state.down = false;
});
afterAll(async () => {
  expect(reported).toEqual([]);
  await issuer.close();
  clients.destroy();
  await endpoint.close();
  await rm(folder, { recursive: true, force: true });
});

const send = async (token: string, method: string, path: string, body?: unknown, api = app): Promise<Answer> => {
  const answer = await api.request(`/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "x-shiplog-actor": "mallory" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
};
/** A run of `acme/web` on main, with what is said otherwise. */
const run = (claims: object = {}) => issuer.sign({ aud: AUDIENCE, ...claims });
const ask = async (claims: object, method: string, path: string, body?: unknown) => send(await run(claims), method, path, body);
const upload = async (site: string) => {
  const { body } = await send(TOKEN, "POST", "/sources", { site, sha256, bytes: zip.length });
  if (body.upload !== null) await fetch(body.upload.url, { method: "PUT", headers: body.upload.headers, body: zip });
  return body.source;
};
const deploy = async (claims: object, site = "web", environment = "production") =>
  ask(claims, "POST", "/deployments", { site, environment, source: await upload(site) });
const refusal = (code: string, ...words: string[]) => ({
  status: 403,
  body: { error: { code, message: expect.stringMatching(new RegExp(words.map((word) => word.replace(/[.()/]/g, "\\$&")).join("[^]*"))) } },
});

describe("a run of GitHub Actions", () => {
  it("deploys to an environment whose rule it fits, and looks at what it needs for that", async () => {
    const { status, body } = await deploy({});
    expect([status, body.deployment.actor]).toEqual([202, "github:octocat"]);
    const { id } = body.deployment;
    for (const path of [
      "/environments/web/production",
      "/environments/web/production/events",
      ...["", "/events", "/logs"].map((end) => `/deployments/${id}${end}`),
    ])
      expect([path, (await ask({}, "GET", path)).status]).toEqual([path, 200]);
    expect((await ask({}, "POST", "/sources", { site: "web", sha256, bytes: 1 })).status).toBe(200);
    const { body: all } = await ask({}, "GET", "/environments");
    expect(all.environments.map((one: { site: string; environment: string }) => `${one.site}/${one.environment}`)).toEqual([
      "web/production",
    ]);
  });

  it("is in the trail with its repository, ref, run and attempt, and no part of its token", async () => {
    const token = await run();
    const { body } = await send(token, "POST", "/deployments", { site: "web", environment: "production", source: await upload("web") });
    const { body: trail } = await send(TOKEN, "GET", "/audit?type=DeploymentAdmitted");
    const row = trail.rows.find(({ deployment }: { deployment: string }) => deployment === body.deployment.id);
    expect([row.actor, row.credential]).toEqual(["github:octocat", "github:acme/web@refs/heads/main#1234567.2"]);
    const { body: events } = await send(TOKEN, "GET", "/events");
    for (const part of token.split(".")) expect(JSON.stringify(events)).not.toContain(part);
  });

  it("that is refused leaves no name, neither its own nor one that it wrote", async () => {
    const source = await upload("web");
    const commit = { sha: "0123abc", author: "Un Asked", message: "for un@asked.example" };
    for (const [claims, path, body] of [
      [{}, "/environments/web/production/pin", { reason: "for un@asked.example" }],
      [{ ref: "refs/heads/other" }, "/deployments", { site: "web", environment: "production", source, commit }],
      [{}, "/deployments", { site: "docs", environment: "production", source, commit }],
    ] as const)
      expect([path, (await ask({ actor: "unasked", ...claims }, "POST", path, body)).status]).toEqual([path, 403]);
    const { body } = await send(TOKEN, "GET", "/people");
    const names = body.people.map(({ name }: { name: string }) => name);
    expect(names).toContain("github:octocat");
    expect(names.filter((name: string) => /asked/i.test(name))).toEqual([]);
  });

  it("may do nothing else", async () => {
    const { body } = await deploy({});
    const { id } = body.deployment;
    for (const [method, path, sent] of [
      ["GET", "/environments/web/production/rollback"],
      ["POST", "/environments/web/production/rollback", {}],
      ["POST", "/environments/web/production/pin", { reason: "r" }],
      ["POST", "/environments/web/production/unpin", {}],
      ["POST", "/environments/web/production/lock", { reason: "r" }],
      ["POST", "/environments/web/production/unlock", { force: true }],
      ["GET", "/environments/web/production/history"],
      ["GET", "/environments/web/production/why"],
      ["POST", `/deployments/${id}/cancel`, {}],
      ["POST", `/deployments/${id}/retry`, {}],
      ["GET", "/deployments"],
      ["GET", "/events"],
      ["GET", "/audit"],
      ["GET", "/dora"],
      ["GET", "/seals"],
      ["POST", "/seals", {}],
      ["GET", "/webhooks"],
      ["POST", "/webhooks", { kind: "signed", url: "https://example.com" }],
      ["GET", "/dead-letters"],
      ["POST", "/dead-letters/empty", { site: "web", environment: "production" }],
      ["GET", "/dead-letters/6f1c2a52"],
      ["POST", "/dead-letters/6f1c2a52/redrive", {}],
      ["POST", "/dead-letters/6f1c2a52/drop", { reason: "r" }],
      ["GET", "/nothing"],
      ["GET", "/environments/web%2Fproduction"],
      ["GET", "/environments/web/production%2Frollback"],
    ] as const)
      expect([path, await ask({}, method, path, sent)]).toMatchObject([
        path,
        { status: 403, body: { error: { code: expect.stringMatching(/^github\.r/) } } },
      ]);
    expect(await ask({}, "GET", "/webhooks")).toMatchObject(refusal("github.rights", "GET /v1/webhooks needs a token of this engine"));
  });

  it("sees no deployment of another environment, nor whether there is one", async () => {
    const elsewhere = (await send(TOKEN, "POST", "/deployments", { site: "docs", environment: "production", source: await upload("docs") }))
      .body.deployment.id;
    const unknown = "dep_01JABCDEFG0000000000000007";
    const told = async (id: string) => JSON.stringify(await ask({}, "GET", `/deployments/${id}`)).replaceAll(id, "");
    expect(await ask({}, "GET", `/deployments/${elsewhere}`)).toMatchObject(
      refusal("github.rights", "deployments of web/production alone"),
    );
    expect(await told(unknown)).toBe(await told(elsewhere));
    expect((await ask({}, "GET", `/deployments/${elsewhere}/logs`)).status).toBe(403);
    expect((await ask({}, "GET", `/deployments/${elsewhere.slice(0, 10)}/events`)).status).toBe(403);
  });
});

describe("a rule", () => {
  it.each([
    ["another repository", { repository: "acme/other" }, ["No rule lets runs of acme/other deploy to web/production"]],
    ["a repository whose name begins alike", { repository: "acme/web-2" }, ["No rule lets runs of acme/web-2"]],
    ["a repository whose name differs in case", { repository: "Acme/web" }, ["No rule lets runs of Acme/web"]],
    ["another branch", { ref: "refs/heads/main-2" }, ["rule 1: its ref is refs/heads/main, and this run's is refs/heads/main-2"]],
    ["a tag of that name", { ref: "refs/tags/main" }, ["this run's is refs/tags/main"]],
    ["an event that is not named", { event_name: "schedule" }, ["its events are push, workflow_dispatch, and this run is of schedule"]],
    [
      "another environment of GitHub",
      { ref: "refs/heads/topic", environment: "preview" },
      ["rule 2: its environment of GitHub is production, and this job's is preview"],
    ],
    ["no environment of GitHub", { ref: "refs/heads/topic" }, ["rule 2: its environment of GitHub is production, and this job names none"]],
  ])("lets %s do nothing, and the answer says why and what to add", async (_, claims, words) => {
    const answer = await deploy(claims);
    expect(answer).toMatchObject(refusal("github.rule", ...words));
    const added = /sites file: (\{.*\})\.$/.exec(answer.body.error.message)?.[1] ?? "";
    expect(JSON.parse(added)).toMatchObject({ repositoryId: "4711", ...("ref" in claims && { ref: claims.ref }) });
    expect((await ask(claims, "POST", "/sources", { site: "web", sha256, bytes: 1 })).status).toBe(403);
    expect((await ask(claims, "GET", "/environments")).status).toBe(403);
  });

  it("of an environment of GitHub takes any branch whose job names it", async () => {
    expect((await deploy({ ref: "refs/heads/topic", environment: "production" })).status).toBe(202);
  });

  it("of a repository's number takes no other repository of the same name", async () => {
    expect(await deploy({}, "web", "numbered")).toMatchObject(
      refusal("github.rule", "its repository is number 4712, and this one is number 4711"),
    );
    expect((await deploy({ repository_id: "4712" }, "web", "numbered")).status).toBe(202);
  });

  it("with a ref and an environment wants both", async () => {
    expect((await deploy({ ref: "refs/heads/staging" }, "web", "staging")).status).toBe(403);
    expect((await deploy({ environment: "staging" }, "web", "staging")).status).toBe(403);
    expect((await deploy({ ref: "refs/heads/staging", environment: "staging" }, "web", "staging")).status).toBe(202);
  });

  it.each(["pull_request", "pull_request_target"])("lets no %s in that does not name it, also of the base's branch", async (event_name) => {
    const pull = { event_name, ref: "refs/heads/main", environment: "production" };
    expect(await deploy(pull)).toMatchObject(refusal("github.rule", `this run is of ${event_name}`));
    expect((await ask(pull, "GET", "/environments")).status).toBe(403);
  });

  it("that names pull_request lets it deploy there, and nowhere else", async () => {
    const pull = { event_name: "pull_request", ref: "refs/pull/7/merge", environment: "preview" };
    expect((await deploy(pull, "web", "preview")).status).toBe(202);
    expect((await deploy(pull)).status).toBe(403);
  });

  it("is told to its own repository's runs alone, and so is whether there is such an environment", async () => {
    const there = await deploy({}, "docs", "production");
    expect(there).toMatchObject(refusal("github.rule", "No rule lets runs of acme/web deploy to docs/production"));
    expect(JSON.stringify(there.body)).not.toContain("hidden");
    const said = async (site: string) => JSON.stringify(await ask({}, "GET", `/environments/${site}/production`)).replaceAll(site, "");
    expect(await said("docs")).toBe(await said("gone"));
  });
});

describe("the door", () => {
  it("says why a token is not taken", async () => {
    expect(await send(await issuer.sign({ aud: "https://other.example.com" }), "GET", "/environments")).toMatchObject({
      status: 401,
      body: { error: { code: "github.token", message: expect.stringContaining(`takes those for ${AUDIENCE}`) } },
    });
  });

  it("answers 503 with a sentence where GitHub cannot be asked, and the keys that it knows go on", async () => {
    const known = await run();
    expect((await send(known, "GET", "/environments")).status).toBe(200);
    issuer.state.down = true;
    const second = await issuer.newKey("second");
    expect((await send(known, "GET", "/environments")).status).toBe(200);
    const fresh = createApi(
      apiPorts(
        engineOf(
          { ...localNames, sites: [], tokens: {}, github: { issuer: issuer.url, audience: AUDIENCE } },
          clients,
          systemClock,
          () => undefined,
        ),
      ),
    );
    const token = await issuer.sign({ aud: AUDIENCE }, { kid: "second", key: second.privateKey });
    const answer = await send(token, "GET", "/environments", undefined, fresh);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: "github.unreachable" } } });
    expect(answer.body.error.message).toMatch(
      /cannot be checked now: the keys of http:\S+ cannot be had \(\S+ answered 500\)\. Try again\.$/,
    );
    expect((await send(TOKEN, "GET", "/environments")).status).toBe(200);
  });

  it("takes none where no environment has a rule, and asks nobody", async () => {
    const before = issuer.state.asked.length;
    expect(await send(await run(), "GET", "/environments", undefined, plain)).toMatchObject({
      status: 401,
      body: { error: { code: "github.token", message: expect.stringContaining('no environment of its sites file has "github"') } },
    });
    expect((await send("not.a.token", "GET", "/environments")).body.error.code).toBe("token.unknown");
    expect(issuer.state.asked.length).toBe(before);
  });
});
