import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { PlannedSweep } from "../../client/contract.ts";
import { counted } from "../../domain/kernel/counted.ts";
import { showBytes } from "../../domain/wording.ts";
import type { Context, Register } from "../context.ts";
import { showAge } from "../duration.ts";
import { type Environment, environmentName, resolveEnvironment, type Whereabouts, whereabouts } from "../environment.ts";
import { usageError } from "../failure.ts";
import { sayMarked } from "../marked.ts";
import { shortIds } from "../short-id.ts";
import { list, plain } from "../terminal.ts";

type Options = Whereabouts & { readonly dryRun?: boolean; readonly explain?: string };
type Planned = z.infer<typeof PlannedSweep>;
type Sweep = Planned["sweep"];

/** What nothing keeps any more is marked, and swept later. The engine looks once a day; this has it look now. */
export const gcCommand: Register = (program, run) =>
  void program
    .command("gc")
    .description("take the sweep of old releases one step further, or show what stays and what goes")
    .argument("[place]", "<site>/<environment>; default: the only one, or production")
    .option("--site <site>")
    .option("--env <environment>")
    .option("--dry-run", "change nothing: which releases stay and which go, and by which rule")
    .option(
      "--explain <thing>",
      "change nothing: why one thing stays or goes: a deployment, <function>:<version>, r-<n>, a path of a file, a key, or the id of a set",
    )
    .action((place: string | undefined, options: Options) => run((context) => gc(context, place, options)));

async function gc(context: Context, given: string | undefined, options: Options): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  if (options.explain === "") throw usageError("--explain names nothing.", "Write for example --explain /robots.txt.");
  const environment = await resolveEnvironment(api, whereabouts(given, options));
  const { site, environment: name } = environment;
  if (options.explain !== undefined) {
    const { explained } = await api.sweepPlan(site, name, options.explain);
    if (explained?.is === "unknown")
      throw usageError(
        `${plain(explained.thing)}: ${plain(explained.because)}.`,
        `What lies there:  shiplog gc ${environmentName(environment)} --dry-run`,
      );
    if (json) terminal.document({ explained });
    else if (explained !== null) terminal.result(explanation(explained));
  } else if (options.dryRun === true) {
    const { sweep } = await api.sweepPlan(site, name);
    if (json) terminal.document({ sweep });
    else show(context, environment, sweep);
  } else await ask(context, environment);
  return undefined;
}

const explanation = ({ thing, stays, is, because, of }: NonNullable<Planned["explained"]>): string =>
  [
    `${plain(thing)} ${stays ? "stays" : is === "gone" ? "is not there" : of.length === 0 ? "is kept by nothing" : "goes"}: ${plain(because)}`,
    ...(of.length > 0 ? [`${stays ? "needed by" : "of"}  ${of.join(", ")}`] : []),
  ].join("\n");

async function ask({ terminal, json, api: open }: Context, environment: Environment): Promise<void> {
  const { site, environment: name, marked } = environment;
  const api = open();
  const plan = json ? undefined : await api.sweepPlan(site, name);
  await api.sweep(site, name, randomUUID());
  if (plan === undefined) return terminal.document({ asked: true, site, environment: name, marked });
  terminal.result(next(environment, plan.sweep, new Date().toISOString()));
  terminal.note(`What stays and what goes:  shiplog gc ${environmentName(environment)} --dry-run`);
}

/** What the engine does now that it is asked. */
const next = (environment: Environment, { keep, releases, others, ...sweep }: Sweep, now: string): string => {
  const { marked } = environment;
  const place = environmentName(environment);
  if (marked !== null && marked.since === null && marked.after > now) return `${place}: ${sayMarked(marked)}. Until then nothing is swept.`;
  if (marked !== null) return `${place}: ${sayMarked({ ...marked, since: marked.since ?? now })}, but for what something keeps by now.`;
  const [why] = becauseOf(sweep);
  if (why !== undefined) return `${place}: nothing is swept here ${why}.`;
  const going = releases.filter(({ goes }) => goes !== null).length;
  if (going + others.length === 0)
    return `${place}: nothing goes. ${counted(releases.length, "release")} ${verb(releases.length, "stay")}.`;
  const what = [...(going > 0 ? [counted(going, "release")] : []), ...(others.length > 0 ? ["what no release has"] : [])].join(" and ");
  return `${place}: ${what} ${verb(going + others.length, "go")}: marked now, it waits ${counted(keep.wait, "hour")}, and is swept if nothing keeps it then.`;
};

/** Why nothing goes at all, where that is so. */
const becauseOf = ({ strangers, lost }: Pick<Sweep, "strangers" | "lost">): string[] => [
  ...(strangers.length > 0 ? [`while there are releases that no deployment in the log has: ${told(strangers)}`] : []),
  ...(lost.length > 0
    ? [
        `while the manifests of releases that stay are gone: ${told(lost)}. Restore them, or nothing goes until newer releases have taken their places`,
      ]
    : []),
];

function show({ terminal }: Context, environment: Environment, sweep: Sweep): void {
  const place = environmentName(environment);
  const { keep, marked, swept, releases, others, bytes } = sweep;
  const why = becauseOf(sweep);
  if (releases.length > 0) terminal.result(table(sweep, terminal.columns, (goes, text) => terminal.paint(goes ? "yellow" : "green", text)));
  const going = releases.filter(({ goes }) => goes !== null).length;
  const lines = [
    ...(releases.length > 0
      ? [
          `${counted(releases.length - going, "release")} of ${place} ${verb(releases.length - going, "stay")} (${showBytes(bytes.stay)} of code and files), ${going} ${verb(going, "go")} (${showBytes(bytes.go)}).`,
        ]
      : [`Nothing of a release lies in ${place}.`]),
    ...(others.length > 0 ? [`No release has these, and they go too: ${told(others)}.`] : []),
    ...why.map((because) => `Nothing is swept here ${because}.`),
    ...(marked === null ? [] : [`${sayMarked(marked)}.`]),
    ...(marked === null && going + others.length > 0 && why.length === 0
      ? [`What goes is not marked yet. Once it is, it waits ${counted(keep.wait, "hour")}. To have it marked now:  shiplog gc ${place}`]
      : []),
    ...(swept === null
      ? []
      : [
          `Swept last ${showAge(swept.at, Date.now())}: ${counted(swept.releases, "release")}, ${showBytes(swept.bytes)}${swept.left === null ? "" : `; left: ${plain(swept.left)}`}.`,
        ]),
  ];
  terminal.result(lines.join("\n"));
}

/** The newest first. */
const table = ({ releases }: Sweep, columns: number | undefined, paint: (goes: boolean, text: string) => string): string => {
  const short = shortIds(releases.map(({ deploymentId }) => deploymentId));
  const rows = releases
    .toReversed()
    .map(({ deploymentId, sequence, goes, because, bytes }) => [
      `#${sequence}`,
      short.get(deploymentId) ?? deploymentId,
      paint(goes !== null, goes === null ? "stays" : "goes"),
      showBytes(bytes),
      plain(because),
    ]);
  return list([["SEQ", "RELEASE", "VERDICT", "CODE", "BECAUSE"], ...rows], ["CODE"], columns);
};

const verb = (number: number, plural: "stay" | "go"): string => (number === 1 ? `${plural}${plural === "go" ? "es" : "s"}` : plural);

const MAX_TOLD = 10;
const told = (all: readonly string[]): string =>
  [...all.slice(0, MAX_TOLD).map(plain), ...(all.length > MAX_TOLD ? [`and ${all.length - MAX_TOLD} more`] : [])].join(", ");
