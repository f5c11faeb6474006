import { readdirSync, readFileSync } from "node:fs";
import type { Commit } from "../../domain/kernel/chain.ts";
import { modelOf, type ViewName } from "../../engine/views/read-models.ts";
import { rowsOf } from "../support/rows-of.ts";

const here = new URL("./", import.meta.url);

/** Histories as old releases wrote them, and the row of each: what a read model makes of them today. */
export const rowsOfHistories = (name: ViewName): Record<string, unknown> =>
  Object.fromEntries(
    readdirSync(here)
      .filter((folder) => /^\d+\.\d+\.\d+$/.test(folder))
      .flatMap((release) => readdirSync(new URL(`${release}/`, here)).map((file) => `${release}/${file}`))
      .flatMap((file) => {
        const lines = readFileSync(new URL(file, here), "utf8").trimEnd().split("\n");
        const commits = lines.map((line) => JSON.parse(line) as Commit);
        return [...rowsOf(commits)].flatMap(([key, row]) => (key.startsWith(`${name} `) ? [[file, row] as const] : []));
      }),
  );

/** Where the rows of a shape are kept: what an engine with that number makes of the histories. */
export const rowsFile = (name: ViewName): URL => new URL(`rows/${name}-${modelOf(name).shape}.json`, here);
