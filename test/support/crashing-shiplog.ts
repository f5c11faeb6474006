import { startDevelopment } from "../../local/development.ts";
import { armKillPoint } from "./kill-points.ts";

/** `node crashing-shiplog.ts <data folder> <app folder> <kill point>`: the whole engine in a process that dies at that point. */
const [dataDir = "", appDir = "", point = ""] = process.argv.slice(2);
const development = await startDevelopment({ tableDelayMs: 0, dataDir, appDir, log: (line) => console.error(line) });
armKillPoint(development, point);
process.stdout.write(`${JSON.stringify({ url: development.apiUrl, token: development.token })}\n`);
