import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../cli/api.ts";
import type { Context } from "../cli/context.ts";
import { openStory } from "../cli/deployment-story.ts";
import { CliError, exit } from "../cli/failure.ts";
import { followDeployment } from "../cli/follow-deployment.ts";
import { readGitCommit } from "../cli/git-commit.ts";
import { planBuild } from "../cli/next-app.ts";
import { uploadSource } from "../cli/upload-source.ts";
import { type Commit, verifyChain } from "../domain/kernel/chain.ts";
import { positionAt } from "../domain/kernel/position.ts";
import { eventsOf, sha256 } from "../engine/log/codec.ts";
import type { Development } from "../local/development.ts";
import type { RecordedFlip } from "./verdict.ts";

type Place = { readonly site: string; readonly environment: string };
export type Deployed = { readonly id: string; readonly status: string; readonly sequence: number; readonly ms: number };

/** Deploys an app as `shiplog deploy` does and waits for its end. Throws where it does not go live. */
export const deployOnce = async (context: Context, api: Api, app: string, place: Place, reason: string): Promise<Deployed> => {
  const layout = await planBuild(app, false);
  const { source, entries, envFiles } = await uploadSource(context, api, layout, place.site);
  const { commit } = await readGitCommit(layout.root, entries, envFiles);
  const asked = Date.now();
  const { id, sequence } = await api.deploy({ ...place, source, reason, ...(commit && { commit }) }, randomUUID());
  context.terminal.note(`${id} to ${place.site}/${place.environment}`);
  const story = openStory(context.terminal, false);
  const { is } = await followDeployment(api, id, story, { stop: context.signal, timeoutMs: undefined });
  const ms = Date.now() - asked;
  if (is === "success") return { id, status: is, sequence, ms };
  if (is === "failed") for (const line of story.tail()) context.terminal.note(`  ${line}`);
  const { deployment } = await api.deployment(id);
  throw new CliError(
    is === "failed" ? exit.failed : exit.stopped,
    `deployment.${is}`,
    `${id} ended ${is}: ${deployment.reason ?? "no reason is known"}.`,
  );
};

const FLIP_PATIENCE_MS = 60_000;

/** Rolls back and waits until it is recorded as live. `ms`: from the request to that record. */
export const rollBack = async (
  api: Api,
  { site, environment }: Place,
  to: string | undefined,
): Promise<{ sequence: number; ms: number }> => {
  const asked = Date.now();
  const { sequence, version } = await api.rollback(site, environment, { ...(to && { to }), reason: "the demo rolls back" }, randomUUID());
  for (let after = version - 1; Date.now() - asked < FLIP_PATIENCE_MS; await sleep(10)) {
    const { events, version: read } = await api.environmentEvents(site, environment, after);
    after = read;
    for (const { type, body, at } of events) {
      if (body.sequence !== sequence) continue;
      if (type === "ReleaseWentLive") return { sequence, ms: Math.max(0, Date.parse(at) - asked) };
      if (type === "FlipFailed" || type === "FlipSuperseded")
        throw new CliError(exit.failed, "rollback.failed", `The rollback #${sequence} ended with ${type}: ${String(body.reason)}.`);
    }
  }
  throw new CliError(
    exit.timeout,
    "rollback.slow",
    `The rollback #${sequence} was not recorded as live within ${FLIP_PATIENCE_MS / 1_000} s.`,
  );
};

/** Everything that is in the log, by streams, and whether every chain holds. */
export const readLog = async (
  { engine }: Pick<Development, "engine">,
  since: number,
): Promise<{ commits: readonly Commit[]; chain: string }> => {
  const commits = await engine.eventLog.read(positionAt(since - 60_000), positionAt(engine.clock.now() + 60_000), Number.MAX_SAFE_INTEGER);
  const streams = Map.groupBy(commits, ({ stream }) => stream);
  for (const [stream, found] of streams) {
    const fault = verifyChain(
      sha256,
      found.sort((a, b) => a.version - b.version),
    );
    if (fault !== undefined) return { commits, chain: `broken: ${stream} at version ${fault.version}: ${fault.reason}` };
  }
  return { commits, chain: "verified" };
};

/** The flips that the log recorded as live, oldest first. `ms`: from the flip's request to that record. */
export const flipsIn = (commits: readonly Commit[]): RecordedFlip[] => {
  const events = commits.flatMap(eventsOf);
  const requested = new Map<number, number>();
  const flips: RecordedFlip[] = [];
  for (const { type, body, at } of events.sort((a, b) => (a.position < b.position ? -1 : 1))) {
    const { sequence, deploymentId, previous, reason } = body as {
      sequence: number;
      deploymentId: string;
      previous?: { deploymentId: string } | null;
      reason: string;
    };
    if (type === "FlipRequested") requested.set(sequence, Date.parse(at));
    if (type !== "ReleaseWentLive") continue;
    flips.push({
      sequence,
      from: previous?.deploymentId ?? null,
      to: deploymentId,
      reason,
      at: Date.parse(at),
      ms: Date.parse(at) - (requested.get(sequence) ?? Date.parse(at)),
    });
  }
  return flips;
};
