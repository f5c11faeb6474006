import { readFileSync } from "node:fs";
import { SitesFile } from "../infra/sites.ts";
import { sightOf } from "../services/aws/sight.ts";
import { examine } from "../services/doctor/doctor.ts";
import { type Finding, ok, wrong } from "../services/doctor/finding.ts";
import type { Place } from "../services/doctor/site.ts";
import { openAccount } from "./account.ts";
import { type Connection, findConnection } from "./connection.ts";
import type { Context } from "./context.ts";
import { CliError, type ExitCode, exit, usageError } from "./failure.ts";
import { plain } from "./terminal.ts";

const SIGNS = { ok: "✓", missing: "✗", wrong: "!" } as const;
const COLOURS = { ok: "green", missing: "red", wrong: "yellow" } as const;

/** Looks at everything and prints each finding as it comes; the exit code says whether all is well. */
export async function examination(context: Context, sitesFile: string | undefined): Promise<ExitCode> {
  const { terminal, json } = context;
  const connection = known(context);
  const account = await openAccount(connection);
  const findings: Finding[] = [];
  const say = (finding: Finding): void => {
    findings.push(finding);
    if (json) return;
    const { what, state, says, mend } = finding;
    terminal.result(plain(`${terminal.paint(COLOURS[state], SIGNS[state])} ${what}: ${says}`));
    if (mend !== null) terminal.result(plain(`    mend: ${mend}`));
  };
  try {
    terminal.note(`Looking at ${account.name}.`);
    const { finding, places } = await engineOf(context, connection, sitesFile);
    say(finding);
    const make = account.local ? "stop `shiplog dev` and start it again: it makes what is missing" : "npx sst deploy --stage production";
    const engine = { places, buckets: Object.values(account.buckets), runsIn: account.local ? "process" : "lambda", make } as const;
    for await (const found of examine(sightOf(account.clients), engine)) say(found);
  } finally {
    account.clients.destroy();
  }
  const bad = findings.filter(({ state }) => state !== "ok").length;
  if (json) terminal.document({ account: account.name, findings });
  terminal.note(bad === 0 ? `All ${findings.length} are well.` : `${bad} of ${findings.length} are not well.`);
  return bad === 0 ? exit.reached : exit.failed;
}

/** Without an engine's address the account itself can still be looked at. */
function known({ data }: Context): Connection | undefined {
  try {
    return findConnection(data, process.env, process.cwd());
  } catch (error) {
    if (data === undefined && error instanceof CliError) return undefined;
    throw error;
  }
}

/** Whether the API answers; and the declared environments, from there or from the sites file. */
async function engineOf(
  context: Context,
  connection: Connection | undefined,
  sitesFile: string | undefined,
): Promise<{ finding: Finding; places: readonly Place[] }> {
  const fromFile = sitesFile === undefined ? [] : placesOf(sitesFile);
  if (connection === undefined) {
    const finding = wrong("API", "no engine's address is known", "set SHIPLOG_URL and SHIPLOG_TOKEN; `npx sst deploy` prints the address");
    return { finding, places: fromFile };
  }
  try {
    const places = (await context.api().environments()).map(({ site, environment }) => ({ site, environment }));
    return { finding: ok("API", `answers at ${connection.url}`), places };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { finding: wrong("API", error.message, error.next ?? "see its log"), places: fromFile };
  }
}

function placesOf(file: string): Place[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw usageError(`${file} cannot be read: ${(error as Error).message}.`);
  }
  const parsed = SitesFile.safeParse(parse(text));
  if (!parsed.success) throw usageError(`${file} is no sites file: ${parsed.error.issues[0]?.message}.`);
  return parsed.data.sites.flatMap(({ name, environments }) => environments.map((one) => ({ site: name, environment: one.name })));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
