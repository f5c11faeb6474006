import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { stagePrefix } from "../blueprint/stage.ts";

// A start compiles some 200 modules; what was compiled is kept for the next one, below the user's own cache folder, where
// no other user of the machine could put code. Where that cannot be written, each start compiles anew.
if (process.env.NODE_COMPILE_CACHE === undefined)
  enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "shiplog", "compiled"));
// Node 22 says at every start of `dev` that its SQLite may change: no user can do anything about it
const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  if (!String(warning).startsWith("SQLite is an experimental feature")) Reflect.apply(emitWarning, process, [warning, ...rest]);
};
// everything else has names in it
try {
  stagePrefix(process.env.SHIPLOG_STAGE, process.env.SHIPLOG_DEFAULT_STAGE);
} catch (error) {
  console.error(`error: SHIPLOG_STAGE: ${(error as Error).message}.`);
  process.exit(2);
}
await import("./main.ts");
