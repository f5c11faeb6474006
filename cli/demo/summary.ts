import type { Commit } from "../../domain/kernel/chain.ts";
import { eventsOf } from "../../services/store/codec.ts";
import { factsOf, type LoggedEvent } from "../event-facts.ts";
import { plain, type Terminal, table } from "../terminal.ts";
import type { Deployed } from "./scenario.ts";
import type { RecordedFlip, Traffic } from "./verdict.ts";

/** Everything that the demo measured. */
export type Outcome = {
  readonly deployments: readonly Deployed[];
  readonly traffic: Traffic;
  readonly flips: readonly RecordedFlip[];
  readonly rollback: { readonly ms: number; readonly buildsStarted: number; readonly sequence: number };
  readonly log: { readonly commits: readonly Commit[]; readonly chain: string };
};

/** The document of `--json`. */
export const documentOf = ({ deployments, traffic, flips, rollback, log }: Outcome, problems: readonly string[]) => ({
  deployments,
  traffic: { ...traffic, perSecond: Math.round(traffic.perSecond) },
  flips: flips.map(({ sequence, from, to, ms, reason }) => ({ sequence, from, to, ms, reason })),
  rollback: { ms: rollback.ms, buildsStarted: rollback.buildsStarted },
  log: { commits: log.commits.length, chain: log.chain },
  problems,
});

/** What did not hold; empty where everything did. */
export const problemsOf = ({ deployments, traffic, rollback, log }: Outcome): string[] => {
  const problems: string[] = [];
  for (const { id, status } of deployments) if (status !== "success") problems.push(`${id} ended ${status}`);
  if (traffic.failed > 0) problems.push(`${traffic.failed} requests failed: ${traffic.failures.join("; ")}`);
  if (traffic.releases.length < 2) problems.push("the load did not see both releases");
  if (rollback.buildsStarted > 0) problems.push(`the rollback started ${rollback.buildsStarted} builds`);
  if (log.chain !== "verified") problems.push(`the log is ${log.chain}`);
  return problems;
};

/** The first thing that a newcomer sees of the product: what happened, what it cost, what to try next. */
export const show = (
  terminal: Terminal,
  { deployments, traffic, flips, rollback, log }: Outcome,
  names: ReadonlyMap<string, string>,
): void => {
  const { result, paint } = terminal;
  const named = (id: string | null): string => (id === null ? "nothing" : (names.get(id) ?? id));

  result(`\n${paint("bold", "Timeline")}, from the event log`);
  result(table(timeline(log.commits, named).map((row) => ["", ...row])));

  result(`\n${paint("bold", "Traffic")}`);
  result(table(traffic.kinds.map(({ kind, requests, p50, p95 }) => ["", kind, `${requests} requests`, `p50 ${p50} ms`, `p95 ${p95} ms`])));
  const shares = traffic.releases.map((id) => `${named(id)} ${traffic.perRelease[id]}`).join(", ");
  result(
    `  ${traffic.requests} requests at ${Math.round(traffic.perSecond)}/s, ${paint(traffic.failed === 0 ? "green" : "red", `${traffic.failed} failed`)}; answered by ${shares}`,
  );

  result(`\n${paint("bold", "Flips")}`);
  result(
    table(flips.map(({ sequence, from, to, ms, reason }) => ["", `#${sequence}`, reason, `${named(from)} → ${named(to)}`, `${ms} ms`])),
  );
  result(`  the rollback took ${rollback.ms} ms from the request to the record and started ${rollback.buildsStarted} builds`);

  result(`\n${paint("bold", "Log")}`);
  const built = deployments.map(({ id, ms }) => `${named(id)} in ${Math.round(ms / 1_000)} s`).join(", ");
  result(`  ${log.commits.length} commits, every chain ${log.chain}; deployed ${built}`);
};

/** One line an event, with the seconds since the first; a commit's relatives in a few words. */
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
        `${((Date.parse(event.at) - first) / 1_000).toFixed(1)}s`,
        kind === "deployment" ? named(name) : "environment",
        event.type,
        facts.slice(0, 90),
      ];
    });
};

/** Steps between the steps: `shiplog events` has them all. */
const QUIET = new Set(["DeploymentAdmitted", "ReleaseStarted", "FlipStarted", "EdgeInvalidated"]);
