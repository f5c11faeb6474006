import type { Command } from "commander";
import { type ExitCode, exit } from "./failure.ts";

/** What is shown of a command besides its own words: how it is typed, and how it may end besides `ALWAYS`. */
export type Shown = {
  /** as a shell takes them, without `shiplog`; a note says what one does where the words do not */
  readonly examples: readonly (string | readonly [line: string, note: string])[];
  readonly ends?: readonly ExitCode[];
};

const { stopped, unauthorised, failed, conflict, held, timeout } = exit;
/** How every command may end; a signal too. */
export const ALWAYS: readonly ExitCode[] = [exit.reached, exit.unexpected, exit.usage, exit.interrupted];
/** Of those that watch a deployment. */
const WATCHING = [stopped, unauthorised, failed, conflict, held, timeout] as const;
/** Of those that read the log: it may have been changed behind Shiplog's back. */
const READING = [unauthorised, failed] as const;
const CHANGING = [unauthorised, failed, conflict] as const;

/** Every command by its words. `--help` and the reference show these; a test holds that each example is understood. */
export const shown: Readonly<Record<string, Shown>> = {
  init: {
    examples: [
      "init my-app",
      ["init my-app --yes --install", "without a question, and with the install after it"],
      ["init my-app --dry-run", "only show it"],
    ],
    ends: [stopped, failed, conflict],
  },
  check: { examples: ["check my-app", "check apps/web --site web --env production"], ends: [failed] },
  deploy: {
    examples: [
      "deploy my-app",
      ['deploy apps/web --env preview --reason "try the new checkout"', "with a reason for the trail"],
      ["deploy my-app --json --timeout 20m", "in a script"],
    ],
    ends: WATCHING,
  },
  list: {
    examples: ["list", "list --status failed --limit 5", ["list --at 2h", "as it was two hours ago"]],
    ends: READING,
  },
  status: { examples: ["status", "status web/production", "status --at 2026-11-23T14:00:00Z"], ends: READING },
  releases: { examples: ["releases", "releases web/production", "releases web/production --json"], ends: READING },
  inspect: { examples: ["inspect dep_01J5", "inspect dep_01J5 --json"], ends: READING },
  events: {
    examples: ["events --since 1h", "events dep_01J5 --follow", "events --type ReleaseWentLive --json", "events --dead-letters"],
    ends: [stopped, unauthorised, failed, conflict],
  },
  logs: { examples: ["logs dep_01J5", "logs dep_01J5 --follow"], ends: READING },
  why: { examples: ["why web/production", "why web/production --at 2h"], ends: READING },
  history: { examples: ["history web/production", "history web/production --limit 5 --markdown"], ends: READING },
  compare: { examples: ["compare dep_01J5 dep_01J6", "compare dep_01J5 dep_01J6 --json"], ends: [unauthorised, failed, conflict] },
  audit: {
    examples: ["audit --since 7d", "audit --site web --actor alice --csv", "audit --since 30d --cloudevents"],
    ends: READING,
  },
  dora: {
    examples: [
      "dora web/production",
      ["dora --since 90d", "all sites, of the last ninety days"],
      "dora --site web --since 2026-10-01 --until 2026-11-01 --json",
    ],
    ends: READING,
  },
  "audit seal": { examples: ["audit seal"], ends: CHANGING },
  "audit export": { examples: ["audit export --out sealed-history"], ends: READING },
  "audit verify": {
    examples: [
      ["audit verify", "all that the engine's account has"],
      ["audit verify sealed-history --key seal-key.pem", "an export, offline"],
    ],
    ends: [failed],
  },
  rollback: {
    examples: [
      ["rollback web/production", "to what was live before"],
      ['rollback dep_01J5 --reason "checkout fails" --yes', "to this one, without a question"],
    ],
    ends: [stopped, unauthorised, failed, conflict, timeout],
  },
  cancel: {
    examples: ["cancel dep_01J5", 'cancel dep_01J5 --yes --reason "wrong branch"'],
    ends: [stopped, unauthorised, failed, conflict, timeout],
  },
  retry: { examples: ["retry dep_01J5", "retry dep_01J5 --follow"], ends: WATCHING },
  "skew cut": {
    examples: ["skew cut dep_01J5", 'skew cut dep_01J5 --reason "its checkout charges twice" --yes'],
    ends: [stopped, ...CHANGING],
  },
  gc: {
    examples: [
      ["gc web/production --dry-run", "which releases stay and which go, and why"],
      ["gc web/production --explain /robots.txt", "why one thing stays or goes"],
      ["gc web/production", "marks what nothing keeps, or sweeps what was marked long enough"],
    ],
    ends: CHANGING,
  },
  keep: { examples: ['keep dep_01J5 --reason "the release that was audited"'], ends: CHANGING },
  unkeep: { examples: ["unkeep dep_01J5"], ends: CHANGING },
  pin: { examples: ['pin web/production --reason "sale until Monday"'], ends: CHANGING },
  unpin: { examples: ["unpin web/production"], ends: CHANGING },
  lock: { examples: ['lock web/production --reason "moving the database" --until 2h'], ends: CHANGING },
  unlock: { examples: ["unlock web/production", "unlock web/production --force --yes"], ends: [stopped, ...CHANGING] },
  "env set": {
    examples: [
      ["env set API_URL", "asks for the value and does not show it"],
      ['printf %s "$API_URL" | shiplog env set API_URL --env preview', "the value by stdin"],
      "env set --from .env.staging --env staging",
    ],
    ends: CHANGING,
  },
  "env ls": { examples: ["env ls", "env ls --site web --env preview"], ends: CHANGING },
  "env rm": { examples: ["env rm API_URL", "env rm API_URL --env preview --yes"], ends: [stopped, ...CHANGING] },
  "env pull": { examples: ["env pull", "env pull .env.preview --env preview"], ends: [stopped, ...CHANGING] },
  open: {
    examples: [
      "open",
      ["open --print", "the link alone, for a browser on another machine"],
      ["open web/production", "the site, as visitors have it"],
      ["open dep_01J5", "a deployment in the dashboard, and how its release is reached"],
    ],
    ends: [unauthorised, failed, conflict],
  },
  "sessions ls": { examples: ["sessions ls"], ends: [unauthorised] },
  "sessions end": {
    examples: ['sessions end ses_01JD8Y3K0V6Q2N4R8T1X5Z7B9C --reason "lost laptop"'],
    ends: [unauthorised, conflict],
  },
  "people ls": { examples: ["people ls"], ends: [unauthorised] },
  "people forget": { examples: ["people forget ann", 'people forget ann@example.com --reason "left the company" --yes'], ends: CHANGING },
  "quarantine ls": { examples: ["quarantine ls", "quarantine ls --json"], ends: READING },
  "quarantine show": { examples: ["quarantine show 6f1c2a52"], ends: CHANGING },
  "quarantine redrive": {
    examples: [
      "quarantine redrive 6f1c2a52",
      ["quarantine redrive --all --consumer deliver --yes", "every one that is listed of this consumer"],
    ],
    ends: [stopped, ...CHANGING],
  },
  "quarantine drop": { examples: ['quarantine drop 6f1c2a52 --reason "a newer release is live"'], ends: [stopped, ...CHANGING] },
  "webhooks add": {
    examples: [["webhooks add -", "reads the URL from stdin"], "webhooks add https://hooks.example.com/shiplog --outcomes"],
    ends: CHANGING,
  },
  "webhooks ls": { examples: ["webhooks ls"], ends: READING },
  "webhooks rm": { examples: ["webhooks rm wh_01J5"], ends: [stopped, ...CHANGING] },
  "webhooks rotate": { examples: ["webhooks rotate wh_01J5"], ends: CHANGING },
  "webhooks enable": { examples: ["webhooks enable wh_01J5"], ends: CHANGING },
  "webhooks test": { examples: ["webhooks test wh_01J5"], ends: [...CHANGING, timeout] },
  "webhooks deliveries": { examples: ["webhooks deliveries wh_01J5", "webhooks deliveries wh_01J5 msg_01J5"], ends: READING },
  "webhooks redeliver": { examples: ["webhooks redeliver wh_01J5 msg_01J5"], ends: [...CHANGING, timeout] },
  "subscriptions add": {
    examples: [
      ["subscriptions add - --from beginning", "reads the URL from stdin"],
      "subscriptions add https://hooks.example.com/log --from 30d --site web",
    ],
    ends: CHANGING,
  },
  "subscriptions ls": { examples: ["subscriptions ls"], ends: READING },
  "subscriptions show": { examples: ["subscriptions show wh_01J5"], ends: READING },
  "subscriptions pause": { examples: ['subscriptions pause wh_01J5 --reason "its disk is full"'], ends: CHANGING },
  "subscriptions resume": { examples: ["subscriptions resume wh_01J5"], ends: CHANGING },
  "subscriptions reset": {
    examples: ["subscriptions reset wh_01J5 --from beginning", "subscriptions reset wh_01J5 --from 2026-11-01T00:00:00Z"],
    ends: [stopped, ...CHANGING],
  },
  "subscriptions rm": { examples: ["subscriptions rm wh_01J5"], ends: [stopped, ...CHANGING] },
  "subscriptions rotate": { examples: ["subscriptions rotate wh_01J5"], ends: CHANGING },
  schema: { examples: [["schema api > openapi.json", "for a generator of clients"], "schema sites"] },
  replay: {
    examples: [
      ["replay all --verify", "change nothing, only compare"],
      ["replay deployments", "build one anew"],
      ["replay edge", "write again what the edges' tables have lost"],
      ["replay snapshots --verify", "is what the engine keeps of its streams what the log says?"],
    ],
    ends: [failed, conflict],
  },
  dev: {
    examples: [
      "dev --app my-app",
      "dev --sites shiplog.sites.json --env-file web/production=.env.production",
      "dev --app my-app --account new",
    ],
    ends: [conflict],
  },
  doctor: { examples: ["doctor", "doctor --sites shiplog.sites.json"], ends: [failed] },
  up: { examples: [["up --stage production --diff", "only show what would change"], "up --stage production"], ends: [failed] },
  down: { examples: ["down --stage trial --throwaway"], ends: [failed] },
  sst: { examples: ["sst unlock --stage production", "sst secret list --stage production"], ends: [failed] },
  version: { examples: ["version", "version --json"] },
};

const typed = (line: string): string => (/(^|\s)shiplog /.test(line) ? line : `shiplog ${line}`);

/** Examples as a shell takes them, notes as comments of the shell in one column. */
export const exampleLines = ({ examples }: Shown): string[] => {
  const rows = examples.map((one) => (typeof one === "string" ? ([typed(one), undefined] as const) : ([typed(one[0]), one[1]] as const)));
  const width = Math.max(...rows.map(([line, note]) => (note === undefined ? 0 : line.length)));
  return rows.map(([line, note]) => (note === undefined ? line : `${line.padEnd(width)}  # ${note}`));
};

/** Every command that does something, by its words: `audit seal`. One with subcommands is among them where it can be run itself. */
export const commandsOf = (parent: Command, before: readonly string[] = []): (readonly [words: string, command: Command])[] =>
  parent.commands.flatMap((command) => {
    const words = [...before, command.name()];
    const own = shown[words.join(" ")] !== undefined || command.commands.length === 0;
    return [...(own ? [[words.join(" "), command] as const] : []), ...commandsOf(command, words)];
  });

/** Puts the examples below the help of each command. */
export const addExamples = (program: Command): void => {
  for (const [words, command] of commandsOf(program)) {
    const told = shown[words];
    if (told !== undefined)
      command.addHelpText(
        "after",
        `\nExamples:\n${exampleLines(told)
          .map((line) => `  ${line}`)
          .join("\n")}`,
      );
  }
};
