import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli } from "./support/run-cli.ts";
import { at, type StubEngine, stubEngine } from "./support/stub-engine.ts";

const ANN = "per_01JFZ4ZT0E0000000000000001";
const people = [
  { id: ANN, name: "ann@example.com", since: at(0) },
  { id: "per_01JFZ4ZT0E0000000000000002", name: "bob", since: at(0) },
];
const FORGET = `/v1/people/${ANN}/forget`;
let engine: StubEngine;
const cli = (...words: string[]) => runCli(words, { env: engine.env });
const changes = () => engine.state.asked.filter(({ method }) => method === "POST");
const known = (list: readonly object[]) => engine.state.instead.set("GET /v1/people", { status: 200, body: { people: list } });

beforeEach(async () => {
  engine = await stubEngine();
  known(people);
  engine.state.instead.set(`POST ${FORGET}`, { status: 200, body: { forgotten: ANN } });
});
afterEach(() => engine.close());

describe("shiplog people", () => {
  it("lists names with their pseudonyms", async () => {
    const { code, out } = await cli("people", "ls");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`NAME +PSEUDONYM +SINCE\nann@example\\.com +${ANN} +\\S+ ago\n`));
    known(people);
    expect(JSON.parse((await cli("people", "ls", "--json")).out)).toEqual({ people });
    known([]);
    expect((await cli("people", "ls")).err).toContain("No name is known");
  });

  it.each([["ann@example.com"], [ANN]])("forgets %s, with the reason, and says what is not changed", async (actor) => {
    const { code, out, err } = await cli("people", "forget", actor, "--reason", "left", "--yes");
    expect(code).toBe(0);
    expect(changes()).toMatchObject([{ path: FORGET, body: { reason: "left" } }]);
    expect(out).toContain(`ann@example.com is forgotten: the log has ${ANN}`);
    expect(err).toContain("Not changed: exports and messages that were made before");
  });

  it("says of somebody who was forgotten before that nothing was changed, and asks nothing", async () => {
    const before = "per_01JFZ4ZT0E0000000000000009";
    engine.state.instead.set(`POST /v1/people/${before}/forget`, { status: 200, body: { forgotten: before } });
    expect(await cli("people", "forget", before)).toEqual({
      code: 0,
      out: `${before} was forgotten before: nothing was changed.\n`,
      err: "",
    });
  });

  it("asks before, and does nothing where nobody can answer", async () => {
    const { code, err } = await cli("people", "forget", "bob");
    expect(code).not.toBe(0);
    expect(err).toContain("--yes");
    expect(changes()).toEqual([]);
  });

  it("takes no part of a name for the whole, and says whom it knows", async () => {
    const { code, err } = await cli("people", "forget", "Ann", "--yes");
    expect(code).toBe(2);
    expect(err).toContain('No person is known as "Ann".');
    expect(err).toContain("Known: ann@example.com");
    known(people);
    expect((await cli("people", "forget", "carol", "--yes")).err).toContain("shiplog people ls");
    expect(changes()).toEqual([]);
  });
});
