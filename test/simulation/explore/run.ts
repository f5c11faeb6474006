import { parseArgs } from "node:util";
import { explore } from "./explore.ts";
import type { Scope } from "./trial.ts";

/**
 * `npm run simulate:explore -- [--quick] [--json]`: every order of the calls of two and three flips, to their ends. Takes
 * minutes; `--quick` leaves the largest out.
 */
const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, json: { type: "boolean", default: false } } });
const scopes: readonly Scope[] = [
  { deployments: 1, roles: ["revalidation", "server"], deliveries: 2, crashes: 1 },
  { deployments: 2, roles: ["revalidation", "server"], deliveries: 1, crashes: 0 },
  { deployments: 3, roles: ["server"], deliveries: 1, crashes: 0 },
  ...(values.quick ? [] : [{ deployments: 2, roles: ["server"], deliveries: 2, crashes: 1 } as const]),
];
let first: string | null = null;
for (const scope of scopes) {
  const began = performance.now();
  const { states, ends, runs, violation } = await explore(scope);
  first ??= violation?.what ?? null;
  if (values.json) continue;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  const { deployments, roles, deliveries, crashes } = scope;
  console.log(
    `${deployments} deployments of ${roles.join(" and ")}, ${deliveries} deliveries and ${crashes} crash each: ${states} states, ${runs} runs, ${ends} ends, ${seconds} s`,
  );
  if (violation !== null)
    console.log(`  ${violation.what}\n  ${violation.path.map(({ process, call }) => `${process}:${call}`).join(" ")}`);
}
if (values.json) console.log(JSON.stringify(first));
process.exitCode = first === null ? 0 : 1;
