import metadata from "../package.json" with { type: "json" };
import { CliError, exit } from "./failure.ts";

/** What the small package says of the commands that it lacks. */
export const needsEngine = (): CliError =>
  new CliError(
    exit.usage,
    "engine.missing",
    "This command needs the engine's own package, and this is the small one that only talks to its API.",
    { next: `Install it, then run the command again:  npm i -D ${metadata.name}@${metadata.version}` },
  );
