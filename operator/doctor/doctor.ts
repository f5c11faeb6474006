import { engineFunctions, functionName, relay, scheduleName } from "../../blueprint/engine-functions.ts";
import { eventsTable, peopleTable, snapshotsTable, type Table, viewsTable } from "../../blueprint/stores.ts";
import { BUS, type Consumer, consumers, deadLetterName, queueName, ruleName, SEAL_KEY, schedules } from "../../blueprint/topology.ts";
import { counted } from "../../domain/kernel/counted.ts";
import { forecastOf } from "../../domain/projections/code-storage.ts";
import { codeStorageHealth } from "../../domain/projections/engine-health.ts";
import { KEEP_KEY } from "../../engine/archive/seal.ts";
import { behindLog } from "../../engine/log/behind-log.ts";
import type { RowFault } from "../../engine/log/row-checker.ts";
import { type Finding, missing, ok, wrong } from "./finding.ts";
import { buildQuotas, cloudFrontVerification, invocationQuota } from "./quotas.ts";
import type { Sight } from "./sight.ts";
import { examineEnvironment, type Place } from "./site.ts";

export type Engine = {
  readonly places: readonly Place[];
  /** names of the buckets, as they are called there */
  readonly buckets: readonly string[];
  /** the one of them that seals are in */
  readonly archive: string | undefined;
  /** where the engine's own functions run: as Lambda functions of the account, or in a process of their own */
  readonly runsIn: "lambda" | "process";
  /** the command that makes what is missing */
  readonly make: string;
  /** milliseconds since 1970 */
  now(): number;
  /** in [0, 1) */
  random(): number;
};

type Finds = readonly Finding[];
type Looking = { readonly sight: Sight; readonly engine: Engine };
type Look = readonly [what: string, look: () => Promise<Finds>];

/**
 * Looks at everything that the engine needs, one thing after another, and says of each how it is. A look that fails is a
 * finding of its own: the others go on.
 */
export async function* examine(sight: Sight, engine: Engine): AsyncGenerator<Finding> {
  for (const [what, look] of looksOf({ sight, engine })) {
    try {
      yield* await look();
    } catch (error) {
      yield wrong(what, `could not be looked at: ${textOf(error)}`, "check the credentials and the region, and that they may read it");
    }
  }
}

const looksOf = (looking: Looking): Look[] => {
  const { sight, engine } = looking;
  const there = async (what: string, look: Promise<boolean>): Promise<Finds> => [
    (await look) ? ok(what, "is there") : missing(what, engine.make),
  ];
  return [
    ["builds", () => buildQuotas(sight, engine.places)],
    ["functions at once", () => invocationQuota(sight)],
    ...(engine.runsIn === "lambda" ? [["CloudFront", () => cloudFrontVerification(sight)] satisfies Look] : []),
    ...[eventsTable, viewsTable, snapshotsTable, peopleTable].map((table): Look => [`table ${table.name}`, () => tableIs(looking, table)]),
    ...engine.buckets.map((name): Look => [`bucket ${name}`, () => there(`bucket ${name}`, sight.bucket(name))]),
    [`event bus ${BUS}`, () => there(`event bus ${BUS}`, sight.bus(BUS))],
    [`key ${SEAL_KEY}`, () => there(`key ${SEAL_KEY}`, sight.key(SEAL_KEY))],
    ...(consumers as readonly Consumer[]).map((consumer): Look => [`consumer ${consumer.name}`, () => consumerIs(looking, consumer)]),
    ...(engine.runsIn === "lambda"
      ? [
          ...engineFunctions.map(({ name }) => functionLook(looking, name)),
          ...schedules.map(({ name }) => scheduleLook(looking, name)),
          relayLook(looking),
        ]
      : []),
    ...engine.places.map((place): Look => [`site ${place.site}/${place.environment}`, () => examineEnvironment(sight, place, engine.make)]),
    ["clock", () => clockIs(looking)],
    ["seals", () => sealsAre(looking)],
    ["log", () => logIs(looking)],
    ["code storage", () => codeStorage(looking)],
  ];
};

async function tableIs({ sight, engine: { make } }: Looking, { name, stream }: Table): Promise<Finding[]> {
  const what = `table ${name}`;
  const found = await sight.table(name);
  if (found === undefined) return [missing(what, make)];
  if (found.status !== "ACTIVE") return [wrong(what, `is ${found.status}`, "wait until it is ACTIVE")];
  if (stream !== null && !found.stream) return [wrong(what, "its stream is off: events are not published", make)];
  return [ok(what, stream === null ? "is active" : "is active, with its stream")];
}

async function consumerIs(looking: Looking, { name, bus, pattern }: Consumer): Promise<Finding[]> {
  return [
    ...(await queueIs(looking, name)),
    ...(pattern === null ? [] : [await ruleIs(looking, ruleName(name), bus === "engine" ? BUS : "default", queueName(name))]),
  ];
}

async function queueIs({ sight, engine: { make } }: Looking, name: string): Promise<Finding[]> {
  const what = `queue ${queueName(name)}`;
  const [queue, dead] = await Promise.all([sight.queue(queueName(name)), sight.queue(deadLetterName(name))]);
  const findings = [
    queue === undefined
      ? missing(what, make)
      : queue.deadLetters !== deadLetterName(name)
        ? wrong(what, "has no dead letters: what fails for ever blocks it", make)
        : ok(what, counted(queue.messages, "message")),
  ];
  const letters = `dead letters ${deadLetterName(name)}`;
  if (dead === undefined) findings.push(missing(letters, make));
  else if (dead.messages > 0)
    findings.push(wrong(letters, `has ${counted(dead.messages, "message")} that nobody could take`, "shiplog quarantine ls"));
  return findings;
}

async function ruleIs({ sight, engine: { make } }: Looking, name: string, bus: string, target: string | null): Promise<Finding> {
  const what = `rule ${name}`;
  const rule = await sight.rule(bus, name);
  if (rule === undefined) return missing(what, make);
  if (!rule.enabled)
    return wrong(
      what,
      "is disabled: nothing gets through",
      `aws events enable-rule --name ${name}${bus === "default" ? "" : ` --event-bus-name ${bus}`}`,
    );
  if (target !== null && !rule.targets.includes(target)) return wrong(what, `does not lead to ${target}`, make);
  return ok(what, "is enabled");
}

function functionLook({ sight, engine: { make } }: Looking, name: string): Look {
  const what = `function ${functionName(name)}`;
  return [
    what,
    async () => {
      const fn = await sight.fn(functionName(name));
      if (fn === undefined) return [missing(what, make)];
      if (fn.state !== "Active" || fn.updateFailed !== null) return [wrong(what, `is ${fn.state}: ${fn.updateFailed ?? fn.reason}`, make)];
      if (!consumers.some((consumer) => consumer.name === name)) return [ok(what, "is active")];
      return [ok(what, "is active"), mappingIs(make, functionName(name), queueName(name), await sight.mappings(functionName(name)))];
    },
  ];
}

function mappingIs(make: string, fn: string, source: string, mappings: Awaited<ReturnType<Sight["mappings"]>>): Finding {
  const what = `mapping ${source} → ${fn}`;
  const mapping = mappings.find((one) => one.source === source);
  if (mapping === undefined) return missing(what, make);
  return mapping.enabled
    ? ok(what, "is enabled")
    : wrong(what, "is disabled: its messages wait", `aws lambda update-event-source-mapping --enabled --uuid ${mapping.id}`);
}

function scheduleLook(looking: Looking, name: string): Look {
  return [`schedule ${scheduleName(name)}`, async () => [await ruleIs(looking, scheduleName(name), "default", null)]];
}

function relayLook({ sight, engine: { make } }: Looking): Look {
  const fn = functionName(relay.name);
  return [`mapping of ${fn}`, async () => [mappingIs(make, fn, eventsTable.name, await sight.mappings(fn))]];
}

// no fault: nobody knows which clock was right, and it does no harm
async function clockIs({ sight, engine: { now } }: Looking): Promise<Finding[]> {
  const last = await sight.logAhead(now());
  return [ok("clock", last === undefined ? "nothing in the log is later than this machine's clock" : behindLog(last, now()))];
}

async function sealsAre({ sight, engine: { archive } }: Looking): Promise<Finding[]> {
  const unsealed = await sight.unsealed();
  if (unsealed === undefined) return [ok("seals", "nothing was sealed yet")];
  const changed = archive === undefined ? undefined : await sight.sealKeyChange(archive);
  if (changed !== undefined) return [wrong("seals", `${changed}: nothing is sealed any more`, KEEP_KEY)];
  return [
    ok(
      "seals",
      unsealed === 0 ? "everything is in a seal" : `${counted(unsealed, "stream")} with commits in no seal yet: the next one has them`,
    ),
  ];
}

async function logIs({ sight, engine: { random } }: Looking): Promise<Finding[]> {
  const { streams, commits, sealed, faults } = await sight.sample(random);
  const ends = sealed === 0 ? "" : `, and the last commit that a seal has is there as it was sealed, of ${counted(sealed, "stream")}`;
  const says = `${counted(streams, "stream")} sampled, ${counted(commits, "commit")}: their chains are whole${ends}`;
  return faults.length === 0 ? [ok("log", says)] : faults.map(changed);
}

async function codeStorage({ sight, engine: { now } }: Looking): Promise<Finding[]> {
  const present = await sight.codeStorage();
  const samples = await sight.codeStorageSamples();
  const { state, says } = codeStorageHealth(forecastOf([...samples, { at: now(), ...present }]));
  const said = says.replace(/\.$/, "");
  return [
    state === "ok"
      ? ok("code storage", said)
      : wrong(
          "code storage",
          `${said}; when it is full, nothing can be published`,
          'see what goes and what stays with: shiplog gc --dry-run; keep less ("keep" in the sites file), or ask AWS for more',
        ),
  ];
}

const changed = ({ stream, version, reason }: RowFault): Finding =>
  wrong(
    `log of ${stream}`,
    `was changed behind Shiplog's back at version ${version}: ${reason}`,
    `keep a backup of the table as it is (aws dynamodb create-backup --table-name ${eventsTable.name} --backup-name tampered), then find every such commit with: shiplog audit verify`,
  );

const textOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
