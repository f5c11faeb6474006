import { readFileSync } from "node:fs";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { functionNames } from "../blueprint/site-resources.ts";
import { parseSites, SitesRefused } from "../blueprint/sites-file.ts";
import { awsClients } from "../engine/aws/clients.ts";
import { systemClock } from "../engine/kit/clock.ts";
import { examine } from "../operator/doctor/doctor.ts";
import { type Finding, missing, ok, wrong } from "../operator/doctor/finding.ts";
import { inspectAccount } from "../operator/doctor/sight.ts";
import type { Place } from "../operator/doctor/site.ts";
import { findAccount, resourcesOf } from "./account.ts";
import type { Connection } from "./connection.ts";
import type { Context } from "./context.ts";
import { CliError, type ExitCode, exit, usageError } from "./failure.ts";
import { plain } from "./terminal.ts";

const SIGNS = { ok: "✓", missing: "✗", wrong: "!" } as const;
const COLOURS = { ok: "green", missing: "red", wrong: "yellow" } as const;

/** Looks at everything and prints each finding as it comes; the exit code says whether all is well. */
export async function examination(context: Context, sitesFile: string | undefined): Promise<ExitCode> {
  const { terminal, json } = context;
  const account = findAccount(context);
  const clients = awsClients(account.options);
  const serviceQuotas = new ServiceQuotasClient(account.options);
  const findings: Finding[] = [];
  const say = (finding: Finding): void => {
    findings.push(finding);
    if (json) return;
    const { what, state, says, mend } = finding;
    terminal.result(plain(`${terminal.paint(COLOURS[state], SIGNS[state])} ${what}: ${says}`));
    if (mend !== null) terminal.result(plain(`    mend: ${mend}`));
  };
  const ended = (name: string): ExitCode => {
    const bad = findings.filter(({ state }) => state !== "ok").length;
    if (json) terminal.document({ account: name, findings });
    terminal.note(bad === 0 ? `All ${findings.length} are well.` : `${bad} of ${findings.length} are not well.`);
    return bad === 0 ? exit.reached : exit.failed;
  };
  try {
    const resources = await resourcesOf(account, clients.dynamodb);
    const name = resources?.account ?? "an account without an event table";
    terminal.note(`Looking at ${name}.`);
    const { finding, places, isAway } = await engineOf(context, account.connection, sitesFile);
    say(finding);
    // its AWS runs in the same process: each further look would wait for nothing
    if (account.local && isAway) return ended(name);
    const make = account.local
      ? "stop `shiplog dev` and start it again: it makes what is missing"
      : `npx shiplog up --stage ${process.env.SHIPLOG_STAGE || process.env.SHIPLOG_DEFAULT_STAGE || "production"}`;
    // their names carry what the event table says of the account
    if (resources === undefined) say(missing("buckets", make));
    const engine = {
      places,
      buckets: Object.values(resources?.buckets ?? {}),
      archive: resources?.buckets.archive,
      runsIn: account.local ? "process" : "lambda",
      make,
      now: systemClock.now,
      random: systemClock.random,
    } as const;
    for await (const found of examine(inspectAccount(clients, serviceQuotas), engine)) {
      context.signal.throwIfAborted();
      say(found);
    }
    return ended(name);
  } finally {
    clients.destroy();
    serviceQuotas.destroy();
  }
}

/** Whether the API answers; and the declared environments, from there or from the sites file. */
async function engineOf(
  context: Context,
  connection: Connection | undefined,
  sitesFile: string | undefined,
): Promise<{ finding: Finding; places: readonly Place[]; isAway: boolean }> {
  const fromFile = sitesFile === undefined ? [] : placesOf(sitesFile);
  if (connection === undefined) {
    const finding = wrong(
      "API",
      "no engine's address is known",
      "set SHIPLOG_URL and SHIPLOG_TOKEN; `npx shiplog up --stage <stage>` prints the address",
    );
    return { finding, places: fromFile, isAway: false };
  }
  try {
    const places = (await context.api().environments()).map(({ site, environment, functions, edgeKeys = [] }) => ({
      site,
      environment,
      functions: functions ?? functionNames(site, environment, { functions: {} }),
      edgeKeys,
    }));
    return { finding: ok("API", `answers at ${connection.url}`), places, isAway: false };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { finding: wrong("API", error.message, error.next ?? "see its log"), places: fromFile, isAway: error.code === "unreachable" };
  }
}

function placesOf(file: string): Place[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
  try {
    return parseSites(text, file).sites.flatMap((site) =>
      site.environments.map((one) => ({
        site: site.name,
        environment: one.name,
        functions: functionNames(site.name, one.name, site),
        architecture: site.architecture,
        buildCompute: site.buildCompute,
      })),
    );
  } catch (error) {
    if (!(error instanceof SitesRefused)) throw error;
    throw usageError(`${error.message}.`);
  }
}
