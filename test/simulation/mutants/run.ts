import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { each } from "../../../engine/kit/each.ts";
import { type Hunted, hunt } from "./hunt.ts";
import { mutants } from "./mutants.ts";

/** `npm run simulate:mutants -- [--seeds N] [--only words]`: whether the simulation is strong enough to see each planted mistake. */
const { values } = parseArgs({ options: { seeds: { type: "string", default: "2000" }, only: { type: "string", default: "" } } });

const missed: Hunted[] = [];
const wanted = mutants.filter(({ name }) => name.includes(values.only));
await each(wanted, availableParallelism(), async (mutant) => {
  const hunted = await hunt(mutant, Number(values.seeds));
  if (hunted.caughtBy === null) missed.push(hunted);
  console.log(
    `${hunted.caughtBy === null ? "NOT CAUGHT in" : "caught after"} ${String(hunted.seeds).padStart(5)} seeds  ${hunted.mutant}\n    ${hunted.caughtBy ?? ""}`,
  );
});
console.log(`\n${wanted.length - missed.length} of ${wanted.length} caught`);
process.exitCode = missed.length === 0 ? 0 : 1;
