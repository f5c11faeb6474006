import type { Context } from "./context.ts";
import type { Environment } from "./environment.ts";

/** The result of a change to an environment: one sentence, or the environment with --json. */
export const printEnvironment = ({ terminal, json }: Context, environment: Environment, sentence: string): void =>
  json ? terminal.document({ environment }) : terminal.result(sentence);
