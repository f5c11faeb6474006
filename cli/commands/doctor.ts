import type { Register } from "../context.ts";

/** Looks whether everything that the engine needs is there, and says how to mend what is not. */
export const doctorCommand: Register = (program, run) =>
  void program
    .command("doctor")
    .description("is everything there that the engine needs, and how to mend what is not")
    .option("--sites <file>", "the sites file, where the engine's API cannot be asked")
    .action(({ sites }: { sites?: string }) =>
      run(async (context) => {
        // AWS's clients take longer to load than most commands run
        const { examination } = await import("../examination.ts");
        return examination(context, sites);
      }),
    );
