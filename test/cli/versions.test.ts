import { afterEach, beforeEach, describe, expect, it } from "vitest";
import metadata from "../../package.json" with { type: "json" };
import { runCli } from "./support/run-cli.ts";
import { type StubEngine, stubEngine } from "./support/stub-engine.ts";

let engine: StubEngine;
beforeEach(async () => {
  engine = await stubEngine();
});
afterEach(() => engine.close());

const list = (...options: string[]) => runCli([...options, "list"], { env: engine.env });
const notes = (err: string): string[] => err.split("\n").filter((line) => line.startsWith("note: "));

describe("a command and the engine that it asks", () => {
  it("of one version say nothing of it, and the command has said which it is", async () => {
    engine.state.version = metadata.version;
    const { code, err } = await list();
    expect([code, notes(err)]).toEqual([0, []]);
    expect(engine.state.asked.map(({ clientVersion }) => clientVersion)).toContain(metadata.version);
    expect(new Set(engine.state.asked.map(({ clientVersion }) => clientVersion)).size).toBe(1);
  });

  it("too far apart are a note, once, that says how the older one is brought up to date: the command", async () => {
    engine.state.version = "99.0.0";
    const { code, out, err } = await list("--json");
    expect(engine.state.asked.length).toBeGreaterThan(1);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ deployments: [], next: null });
    expect(notes(err)).toEqual([
      `note: the engine at ${engine.url} is 99.0.0, and this command is ${metadata.version}: too old for it. Update the command:  npm i -D ${metadata.name}@99.0.0`,
    ]);
  });

  it("or the engine", async () => {
    engine.state.version = "0.0.9";
    expect(notes((await list()).err)).toEqual([
      `note: the engine at ${engine.url} is 0.0.9, and this command is ${metadata.version}: too new for it. Update the engine:  shiplog up --stage <its stage>`,
    ]);
  });

  it("too far apart say so with a refusal too, and the refusal stays what it is", async () => {
    engine.state.version = "99.0.0";
    engine.state.instead.set("GET /v1/environments", {
      status: 404,
      body: { error: { code: "route.unknown", message: "There is none." } },
    });
    const { code, err } = await list();
    expect(code).toBe(2);
    expect(notes(err)).toHaveLength(1);
    expect(err).toContain("error: There is none.");
  });
});
