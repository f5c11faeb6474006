import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import { type EventOf, readEvent } from "../../domain/aggregates.ts";
import type { Environment } from "../../domain/environment/state.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import type { ReleaseAddresses } from "../../engine/aws/addresses.ts";
import { aliasOf } from "../../engine/edge/addresses.ts";
import { GRACE_MS } from "../../engine/edge/grace.ts";
import { storeOf } from "../../engine/edge/live-row.ts";
import { ageOf } from "../../engine/kit/age.ts";
import { type Aggregates, following } from "../../engine/log/execute.ts";
import { newestOf, type ReadBack } from "../../engine/log/read-back.ts";
import { isSentTo, type Ports as RowPorts, takeRowOut } from "./take-row-out.ts";

export type Ports = RowPorts & {
  readonly addresses: Pick<ReleaseAddresses, "remove">;
  readonly aggregates: Pick<Aggregates, "environment">;
  /** the events of a stream after a version, in order */
  events(stream: string, after: number): Promise<readonly Recorded[]>;
  readonly back: ReadBack;
  site(site: string, environment: string): SiteConfig | undefined;
};

const ACTOR = "shiplog end-release";
type Ended = Recorded<Subscribed<"end-release">>;
/** What happened since a release ended, that included. */
type Since = readonly Recorded<EventOf<"environment">>[];

/**
 * Takes away what led to a release that has ended: its row in the edge's table, and once no edge can have that row any more, its
 * address. Until then it leaves the rest to a later delivery: the reconciler sends the event again.
 */
export const endRelease =
  (ports: Ports) =>
  async (event: Ended): Promise<void> => {
    const { site, environment } = siteOf(event.stream);
    const { state } = await ports.aggregates.environment.load(site, environment);
    // after the state: what ended once more by then is among it
    const since = readAll(await ports.events(event.stream, event.version - 1));
    const functions = removedFrom(since, event) ?? (await removeAddress(ports, event, state, since));
    for (const name of functions) await ports.addresses.remove({ name, alias: aliasOf(event.body.address) });
  };

/** The functions that the address is to be deleted of; none as long as somebody may be sent there. */
const removeAddress = async (ports: Ports, event: Ended, state: Environment, since: Since): Promise<readonly string[]> => {
  const { site, environment } = siteOf(event.stream);
  const { release, address, reason } = event.body;
  const isSettled = ageOf(lastSentTo(since, event), ports.clock.now()) >= GRACE_MS;
  // a row whose time is over sends nobody anywhere: it goes with the address
  if (!hasEnded(state, since, event) || (reason === "window" && !isSettled)) return [];
  const declared = ports.site(site, environment);
  const store = declared && storeOf(declared);
  if (store !== undefined && !(await takeRowOut(ports, store, release, await flippedBy(ports, event)))) return [];
  if (!isSettled || (store !== undefined && (await isSentTo(ports, store, address)))) return [];
  const command = { type: "RemoveAddress", release, address } as const;
  const { events } = await ports.aggregates.environment.execute(site, environment, command, following(event, ACTOR, "/address"));
  return removedFrom(readAll(events), event) ?? [];
};

const readAll = (events: readonly Recorded[]): Since => events.map((one) => readEvent("environment", one as Since[number]));

/** Not where it went live again since, nor where it ended once more: that has an event of its own. */
const hasEnded = ({ routes }: Environment, since: Since, { id, body: { release, address } }: Ended): boolean => {
  const last = since.findLast(({ type, body }) => type === "ReleaseEnded" && body.release === release);
  const routed = routes.get(release);
  return last?.id === id && routed !== undefined && routed.ended !== null && routed.route.address === address;
};

/** Highest sequence that a flip had been asked for with when the release ended: each is higher than those before. */
const flippedBy = async ({ back }: Ports, { stream, version }: Ended): Promise<number> => {
  const last = await newestOf(back(stream, version + 1), (event): event is Recorded => event.type === "FlipRequested");
  return last === undefined ? 0 : (last.body as { sequence: number }).sequence;
};

/** When it ended; or when a flip to it was given up since, which may have been at work for a while after that. */
const lastSentTo = (since: Since, { id, at, body: { deploymentId } }: Ended): string => {
  const last = since.findLast(
    (one) => one.id === id || ((one.type === "FlipFailed" || one.type === "FlipSuperseded") && one.body.deploymentId === deploymentId),
  );
  return last?.at ?? at;
};

const removedFrom = (since: Since, { body: { release, address } }: Ended): readonly string[] | undefined => {
  for (const { type, body } of since)
    if (type === "AddressRemoved" && body.release === release && body.address === address) return body.functions;
  return undefined;
};
