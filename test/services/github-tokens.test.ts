import { createSecretKey } from "node:crypto";
import { type CryptoKey, generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askIssuer } from "../../engine/oidc/ask-issuer.ts";
import { githubTokenReader } from "../../engine/oidc/github-tokens.ts";
import { issuerKeys } from "../../engine/oidc/issuer-keys.ts";
import { type GithubIssuer, PUSH, startGithubIssuer } from "../support/github-issuer.ts";

const AUDIENCE = "https://shiplog.example.com";
const MINUTE = 60_000;

let issuer: GithubIssuer;
let now: number;
let read: ReturnType<typeof githubTokenReader>["read"];
/** A token of a push to `main` for this engine, with what is said otherwise. */
const token = (claims: object = {}, how: Parameters<GithubIssuer["sign"]>[1] = {}) =>
  issuer.sign({ aud: AUDIENCE, ...claims }, { at: now, ...how });
const refused = (why: string) => ({ is: "refused", why: expect.stringContaining(why) });
const json = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const keysAsked = (): number => issuer.state.asked.filter((path) => path === "/keys").length;

beforeEach(async () => {
  issuer = await startGithubIssuer();
  now = Date.now();
  const clock = { now: () => now };
  ({ read } = githubTokenReader(
    { issuer: issuer.url, audience: AUDIENCE },
    issuerKeys({ issuer: issuer.url, ask: askIssuer, clock }),
    clock,
  ));
});
afterEach(() => issuer.close());

describe("a token of GitHub Actions", () => {
  it("says who runs what", async () => {
    const { sub: _, ...said } = PUSH;
    expect(await read(await token())).toEqual({ is: "proven", claims: said });
  });

  it.each([
    ["for another audience", { aud: "https://other.example.com" }, `for another audience, and this engine takes those for ${AUDIENCE}`],
    ["for none", { aud: undefined }, "another audience"],
    ["for this engine and another", { aud: [AUDIENCE, "https://other.example.com"] }, "for others too"],
    ["of another issuer", { iss: "https://token.example.com" }, "another issuer"],
    ["without an end", { exp: undefined }, "exp"],
    ["without a beginning", { nbf: undefined }, "nbf"],
    ["without a repository", { repository: undefined }, "nothing usable in repository"],
    ["of a ref with a line of its own", { ref: "refs/heads/main\n::error::no" }, "nothing usable in ref"],
    ["of a ref that acts on a terminal", { ref: "refs/heads/\u001b[2Jmain" }, "nothing usable in ref"],
    ["of an actor with a line of its own", { actor: "octocat\nalice" }, "nothing usable in actor"],
  ])("is refused %s", async (_, claims, why) => {
    expect(await read(await token(claims))).toEqual(refused(why));
  });

  it("is taken within thirty seconds of its time, and not beyond", async () => {
    const old = await token({}, { at: now - 329_000 });
    expect(await read(old)).toMatchObject({ is: "proven" });
    expect(await read(await token({}, { at: now - 331_000 }))).toEqual(refused("it has expired"));
    expect(await read(await token({}, { at: now + 29_000 }))).toMatchObject({ is: "proven" });
    expect(await read(await token({}, { at: now + 32_000 }))).toEqual(refused("not valid yet"));
  });

  it("is refused where it is not signed", async () => {
    const [, payload] = (await token()).split(".");
    for (const alg of ["none", "None", "NONE"])
      expect(await read(`${json({ alg, kid: "first" })}.${payload}.`)).toEqual(refused("not signed with RS256"));
    expect(await read(`${json({ alg: "RS256", kid: "first" })}.${payload}.`)).toEqual(refused("signature"));
  });

  it("is refused where it is signed with the public key as a secret", async () => {
    const secret = createSecretKey(Buffer.from(await issuer.publicPem()));
    expect(await read(await token({}, { alg: "HS256", key: secret as unknown as CryptoKey }))).toEqual(refused("not signed with RS256"));
  });

  it("is refused where somebody else signed it under the id of a key, or changed it", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    expect(await read(await token({}, { key: privateKey }))).toEqual(refused("signature"));
    const [head, , signature] = (await token()).split(".");
    expect(await read(`${head}.${json({ ...PUSH, iss: issuer.url, aud: AUDIENCE, repository: "evil/x" })}.${signature}`)).toEqual(
      refused("signature"),
    );
    const pss = await generateKeyPair("PS256");
    expect(await read(await token({}, { alg: "PS256", key: pss.privateKey }))).toEqual(refused("not signed with RS256"));
    expect(await read("eyJ.e30.x")).toEqual(refused("not a token as GitHub signs them"));
  });
});

describe("the issuer's keys", () => {
  it("are asked for once, also by those who come at the same time", async () => {
    const one = await token();
    expect(issuer.state.asked).toEqual([]);
    const all = await Promise.all(Array.from({ length: 20 }, () => read(one)));
    expect(all.every(({ is }) => is === "proven")).toBe(true);
    await read(one);
    expect(issuer.state.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it("are found where they were changed, and one that was taken back is not taken any more", async () => {
    const old = await token();
    expect(await read(old)).toMatchObject({ is: "proven" });
    issuer.state.keys = [await issuer.newKey("second")];
    now += MINUTE;
    expect(await read(await token({}, { kid: "second" }))).toMatchObject({ is: "proven" });
    expect(await read(old)).toEqual(refused('no key "first"'));
    expect(keysAsked()).toBe(2);
  });

  it("that are not known do not make it ask for each of them", async () => {
    const known = await token();
    await read(known);
    const { privateKey } = await generateKeyPair("RS256");
    now += MINUTE;
    for (let count = 0; count < 50; count++)
      expect(await read(await token({}, { kid: `unknown-${count}`, key: privateKey }))).toEqual(refused(`no key "unknown-${count}"`));
    expect(keysAsked()).toBe(2);
    expect(await read(known)).toMatchObject({ is: "proven" });
    now += MINUTE / 2;
    await read(await token({}, { kid: "unknown", key: privateKey }));
    expect(keysAsked()).toBe(3);
  });

  it("go on for an hour where the issuer is down, and a new one has to wait", async () => {
    await read(await token());
    issuer.state.down = true;
    const second = await issuer.newKey("second");
    for (const minutes of [1, 11, 40]) {
      now = now + minutes * MINUTE;
      expect(await read(await token())).toMatchObject({ is: "proven" });
    }
    expect(await read(await token({}, { kid: "second", key: second.privateKey }))).toEqual({
      is: "unreachable",
      why: expect.stringContaining("answered 500"),
    });
    now += 9 * MINUTE;
    expect(await read(await token())).toMatchObject({ is: "unreachable" });
    issuer.state.down = false;
    now += MINUTE;
    expect(await read(await token())).toMatchObject({ is: "proven" });
  });

  it("are asked for no more often while it is down", async () => {
    issuer.state.down = true;
    for (let count = 0; count < 20; count++) expect(await read(await token())).toMatchObject({ is: "unreachable" });
    expect(issuer.state.asked).toHaveLength(1);
  });
});
