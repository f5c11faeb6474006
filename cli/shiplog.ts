#!/usr/bin/env node
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// A start compiles some 200 modules; what was compiled is kept for the next one, below the user's own cache folder, where
// no other user of the machine could put code. Where that cannot be written, each start compiles anew.
if (process.env.NODE_COMPILE_CACHE === undefined)
  enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "shiplog", "compiled"));
await import("./main.ts");
