import type { Command } from "commander";
import type { Register } from "../context.ts";

type Options = { readonly stage: string; readonly sites?: string; readonly throwaway?: boolean; readonly diff?: boolean };

/** Loaded by these commands alone: it belongs to the engine's package. */
const infrastructure = () => import("../infrastructure.ts");

const onStage = (command: Command): Command =>
  command
    .requiredOption("--stage <stage>", "the stage: production, or another name for another engine in the same account")
    .option("--sites <file>", "the sites file; default: shiplog.sites.json; none: the engine without sites")
    .option("--throwaway", "of a stage whose data may go with it");

/** Puts the engine on AWS, or brings what is there up to this version and the sites file. */
export const upCommand: Register = (program, run) =>
  void onStage(program.command("up"))
    .description("put the engine and its sites on AWS, or bring them up to date")
    .option("--diff", "only show what would change")
    .action(({ stage, sites, throwaway = false, diff = false }: Options) =>
      run(async (context) => (await infrastructure()).onInfrastructure(context, { stage, sites, throwaway }, diff ? ["diff"] : ["deploy"])),
    );

/** Takes it off AWS; a protected stage keeps its data. */
export const downCommand: Register = (program, run) =>
  void onStage(program.command("down"))
    .description("take the engine and its sites off AWS; a protected stage keeps its data")
    .action(({ stage, sites, throwaway = false }: Options) =>
      run(async (context) => (await infrastructure()).onInfrastructure(context, { stage, sites, throwaway }, ["remove"])),
    );

/** For what `up` and `down` have no words: secrets, locks, state. */
export const sstCommand: Register = (program, run) =>
  void onStage(program.command("sst"))
    .description("run a command of SST on the engine's infrastructure: secret, unlock, state, …")
    .argument("<args...>", "SST's arguments")
    .action((args: string[], { stage, sites, throwaway = false }: Options) =>
      run(async (context) => (await infrastructure()).onInfrastructure(context, { stage, sites, throwaway }, args)),
    );
