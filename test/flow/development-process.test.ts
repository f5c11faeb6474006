import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCli, type Started, startCli } from "../cli/support/run-cli.ts";
import { writeFixtureApp } from "../support/fixture-app.ts";

let folder: string;
let running: Started | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shiplog-dev-"));
  await writeFixtureApp(join(folder, "app"));
});
afterAll(async () => {
  running?.kill();
  await rm(folder, { recursive: true, force: true });
});
const data = (...names: string[]): string => join(folder, "data", ...names);
const dev = (...more: string[]) => ["dev", "--app", join(folder, "app"), "--data", data(), ...more];
const healthy = async (): Promise<boolean> => {
  const { url } = JSON.parse(await readFile(data("connection.json"), "utf8")) as { url: string };
  return (await fetch(`${url}/v1/health`)).ok;
};

it("goes on where nobody reads its output, refuses a second one, stands still and goes on, and ends in order", async () => {
  running = startCli(dev());
  await running.says(`shiplog deploy ${relative(tmpdir(), join(folder, "app"))} --data ${data()}      Stop with Ctrl-C`);
  running.hangUp("stdout", "stderr");
  expect(await healthy()).toBe(true);

  const second = await runCli(dev());
  expect(second.code).toBe(6);
  expect(second.err).toMatch(/^error: .*data is in use by process \d+: stop that one, or take another folder with --data\.\n$/);

  running.signal("SIGSTOP");
  const answer = healthy();
  running.signal("SIGCONT");
  expect(await answer).toBe(true);

  running.signal("SIGTERM");
  expect((await running.finished).code).toBe(0);
  expect(["connection.json", "running.pid"].filter((name) => existsSync(data(name)))).toEqual([]);
});

it("ends in order where its terminal goes away", async () => {
  running = startCli(dev());
  await running.says("Stop with Ctrl-C");
  running.hangUp("stdout", "stderr");
  running.signal("SIGHUP");
  expect((await running.finished).code).toBe(0);
  expect(existsSync(data("connection.json"))).toBe(false);
});

it("says in one sentence which file is damaged, and which port is taken, and ends", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const refused = await runCli(dev("--port", String(port), "--json"));
  taken.close();
  expect(refused).toMatchObject({
    code: 2,
    err: `error: Port ${port} is taken. Stop what listens there, or choose another one with --port.\n`,
  });
  expect(JSON.parse(refused.out).error.code).toBe("port.taken");

  await writeFile(data("memory.json"), '{"token":');
  const { code, err } = await runCli(dev());
  expect(err).toBe(
    `error: ${data("memory.json")} cannot be used: it is not JSON any more.\nDelete it: the engine then takes a new token and new ports, and nothing else is lost.\n`,
  );
  expect(code).toBe(1);
});
