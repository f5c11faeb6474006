import { becauseTable } from "../cli/because-table.ts";
import { factsOf, type LoggedEvent } from "../cli/event-facts.ts";
import { plain, type Terminal, table } from "../cli/terminal.ts";
import { showVerified } from "../cli/verify-export.ts";
import type { Commit } from "../domain/kernel/chain.ts";
import { counted } from "../domain/kernel/counted.ts";
import type { Because } from "../domain/projections/why.ts";
import type { Verified } from "../engine/archive/sealed-history.ts";
import { eventsOf } from "../engine/log/codec.ts";
import type { Heard } from "./messages.ts";
import type { Deployed } from "./scenario.ts";
import type { RecordedFlip, Traffic } from "./verdict.ts";

/** Everything that the demo measured. */
export type Outcome = {
  readonly deployments: readonly [Deployed, Deployed];
  readonly traffic: Traffic;
  readonly flips: readonly RecordedFlip[];
  readonly rollback: { readonly ms: number; readonly buildsStarted: number; readonly sequence: number };
  readonly log: { readonly commits: readonly Commit[]; readonly chain: string };
  /** of what is live at the end */
  readonly why: { readonly deployment: string | null; readonly because: readonly Because[] };
  /** the sealed part of the log, verified offline */
  readonly verified: Verified;
  readonly messages: Heard;
};

/** The document of `--json`. */
export const documentOf = (
  { deployments, traffic, flips, rollback, log, why, verified, messages }: Outcome,
  problems: readonly string[],
) => ({
  deployments,
  traffic: {
    requests: traffic.requests,
    failed: traffic.failed,
    releases: traffic.releases,
    perSecond: Math.round(traffic.perSecond),
    perSequence: Object.fromEntries(traffic.perSequence),
    perKind: Object.fromEntries(traffic.perKind),
    failures: traffic.failures,
  },
  flips: flips.map(({ sequence, from, to, ms, reason }) => ({ sequence, from, to, ms, reason })),
  rollback: { ms: rollback.ms, buildsStarted: rollback.buildsStarted },
  log: { commits: log.commits.length, chain: log.chain },
  why,
  verified,
  messages,
  problems,
});

/** What the engine promises to lose no request under. */
const PROMISED_PER_SECOND = 50;

/** What did not hold; empty where everything did. */
export const problemsOf = ({ deployments, traffic, flips, rollback, log, why, verified, messages }: Outcome): string[] => {
  const [first, second] = deployments;
  const problems: string[] = [];
  for (const { id, status } of deployments) if (status !== "success") problems.push(`${id} ended ${status}`);
  if (traffic.failed > 0) problems.push(`${traffic.failed} requests failed: ${traffic.failures.join("; ")}`);
  if (traffic.perSecond < PROMISED_PER_SECOND) problems.push(`the load was only ${traffic.perSecond.toFixed(1)} requests a second`);
  if (traffic.releases.join() !== `${first.id},${second.id}`)
    problems.push(`the load saw ${traffic.releases.join(", ") || "no release"}, not the first and then the second`);
  if (flips.map(({ to }) => to).join() !== `${first.id},${second.id},${first.id}`)
    problems.push("the log does not tell of three flips: to the first, to the second, and back");
  if (rollback.buildsStarted > 0) problems.push(`the rollback started ${rollback.buildsStarted} builds`);
  if (log.chain !== "verified") problems.push(`the log is ${log.chain}`);
  if (why.deployment !== first.id || why.because.length === 0)
    problems.push(`the log explains why ${why.deployment ?? "nothing"} is live, not ${first.id}`);
  if (verified.fault !== null) problems.push(`the sealed log is ${showVerified(verified)}`);
  else if (verified.commits === 0) problems.push("no commit was sealed");
  if (messages.slack.length === 0) problems.push("no message for Slack arrived");
  if (messages.verified === 0) problems.push("no signed message arrived");
  if (messages.refused.length > 0) problems.push(`${messages.refused.length} messages were not accepted: ${messages.refused[0]}`);
  if (messages.undelivered.length > 0)
    problems.push(`${messages.undelivered.length} messages were not delivered: ${messages.undelivered[0]}`);
  return problems;
};

/** The first thing that a newcomer sees of the product: what happened, what it cost, and what the log is good for. */
export const show = ({ result, paint }: Terminal, outcome: Outcome): void => {
  const { deployments, traffic, flips, rollback, log, why, verified, messages } = outcome;
  const [first, second] = deployments;
  const names = new Map([
    [first.id, "v1"],
    [second.id, "v2"],
  ]);
  const named = (id: string | null): string => (id === null ? "nothing" : (names.get(id) ?? id));
  const cells = (share = NONE): string[] => [
    ...[share.requests, share.failed].map((count) => count.toLocaleString("en")),
    ...[share.p50, share.p95].map((ms) => `${ms.toLocaleString("en")} ms`),
  ];

  result(`\n${paint("bold", "Timeline")}, from the event log`);
  result(indented(timeline(log.commits, named)));

  result(`\n${paint("bold", "Live")}, one after another`);
  const lives = flips.map(({ sequence, reason, from, to, ms }) => [
    `#${sequence}`,
    reason,
    `${named(from)} → ${named(to)}`,
    `${ms} ms`,
    ...cells(traffic.perSequence.get(sequence)),
  ]);
  const unanswered = traffic.perSequence.get(0);
  if (unanswered !== undefined) lives.push(["", "no answer", "", "", ...cells(unanswered)]);
  result(rightAligned([["", "why", "from → to", "flip", "requests", "failed", "p50", "p95"], ...lives], 3));

  result(`\n${paint("bold", "Load")}, by kind of address`);
  result(
    rightAligned([["", "requests", "failed", "p50", "p95"], ...[...traffic.perKind].map(([kind, share]) => [kind, ...cells(share)])], 1),
  );

  const builds = rollback.buildsStarted === 0 ? "no build" : `${rollback.buildsStarted} builds`;
  result("");
  result(
    indented([
      ["requests", `${traffic.requests.toLocaleString("en")} at ${Math.round(traffic.perSecond)}/s, ${traffic.failed} failed`],
      ["rollback", `${rollback.ms} ms from the request to the record, ${builds} started`],
      ["log", `${counted(log.commits.length, "commit")}, every chain ${log.chain}`],
    ]),
  );

  result(`\n${paint("bold", "Why")} ${named(why.deployment)} is live, as ${paint("bold", "shiplog why")} tells it`);
  result(becauseTable(why.because).replaceAll(first.id, "v1").replaceAll(second.id, "v2"));

  result(`\n${paint("bold", "Audit")}: sealed on demand, exported, and verified offline with the public key`);
  result(`  ${showVerified(verified)}`);

  const [slack, standard] = messages.endpoints;
  result(`\n${paint("bold", "Slack")}: what a receiver at ${slack?.url} was told`);
  for (const text of messages.slack) result(`  ${plain(text)}`);
  result(`  and ${standard?.url} got ${messages.verified} signed messages, each verified by standardwebhooks`);
};

const NONE = { requests: 0, failed: 0, p50: 0, p95: 0 };

const indented = (rows: readonly (readonly string[])[]): string => table(rows.map((row) => ["", ...row]));

/** Figures line up by their last digit, from that column on. */
const rightAligned = (rows: readonly (readonly string[])[], from: number): string => {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return indented(rows.map((row) => row.map((cell, column) => (column < from ? cell : cell.padStart(width(column))))));
};

/** One line an event, with the seconds since the first. */
const timeline = (commits: readonly Commit[], named: (id: string) => string): string[][] => {
  const events = commits
    .flatMap(eventsOf)
    .sort((a, b) => (a.position === b.position ? a.index - b.index : a.position < b.position ? -1 : 1)) as LoggedEvent[];
  const first = Date.parse(events[0]?.at ?? "");
  return events
    .filter(({ type }) => !QUIET.has(type))
    .map((event) => {
      const [kind, name = ""] = event.stream.split("/");
      const facts = plain(factsOf(event)).replace(/dep_\w{26}/g, named);
      return [
        `${((Date.parse(event.at) - first) / 1_000).toFixed(1)}s`.padStart(7),
        kind === "deployment" ? named(name) : kind === "environment" ? "live" : "told",
        event.type,
        facts.length > FACTS ? `${facts.slice(0, FACTS - 1)}…` : facts,
      ];
    });
};

/** Characters of an event's facts: with the rest, a line of a wide terminal. */
const FACTS = 72;

/** Steps between the steps: `shiplog events` has them all. */
const QUIET = new Set(["DeploymentAdmitted", "ReleaseStarted", "FlipStarted", "EdgeSwitched"]);
