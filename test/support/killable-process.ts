import { startDevelopment } from "../../local/development.ts";
import type { Endpoint } from "../../local/endpoint/endpoint.ts";
import { arm, type KillPoint } from "./kill-point.ts";

/** Shiplog in a process of its own, which its parent can order to die at a point: `node killable-process.ts <dataDir> <sitesFile>`. */
export type Order = { readonly die: KillPoint } | { readonly stop: true };
export type Report =
  | {
      readonly is: "ready";
      readonly apiUrl: string;
      readonly token: string;
      readonly aws: Pick<Endpoint, "url" | "credentials">;
      readonly siteUrl: string;
    }
  | { readonly is: "armed" };

const RECONCILE_EVERY_MS = 1_000;

const [, , dataDir = "", sitesFile = ""] = process.argv;
const report = (said: Report): void => void process.send?.(said);

const shiplog = await startDevelopment({
  tableDelayMs: 0,
  dataDir,
  sitesFile,
  variables: {},
  reconcileEveryMs: RECONCILE_EVERY_MS,
  log: (line) => console.log(line),
});
// Its parent is gone, or wants it to stop: it ends by itself once nothing of it is open any more.
process.once("disconnect", () => shiplog.close());
process.on("message", (order: Order) => {
  if ("stop" in order) return void process.disconnect();
  arm(order.die, shiplog.aws);
  report({ is: "armed" });
});
report({
  is: "ready",
  apiUrl: shiplog.apiUrl,
  token: shiplog.token,
  aws: { url: shiplog.aws.endpoint.url, credentials: shiplog.aws.endpoint.credentials },
  siteUrl: shiplog.sites[0]?.url ?? "",
});
