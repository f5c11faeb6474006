import { version } from "../../client/version.ts";
import type { Register } from "../context.ts";

/** Prints the version of the CLI. */
export const versionCommand: Register = (program, run) =>
  void program
    .command("version")
    .description("print the version")
    .action(() =>
      run(async ({ terminal, json }) => {
        if (json) terminal.document({ version, node: process.version });
        else terminal.result(version);
        return undefined;
      }),
    );
