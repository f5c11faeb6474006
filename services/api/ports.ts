import type { EngineConfig, SiteConfig } from "../../blueprint/engine-config.ts";
import type { PublishedFunction, Source } from "../../domain/deployment/shapes.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { SealManifest } from "../../domain/kernel/seal.ts";
import type { CodeStorageSample } from "../../domain/projections/code-storage.ts";
import type { FileDigest, VersionFacts } from "../../domain/projections/compare.ts";
import type { DeploymentView } from "../../domain/projections/views.ts";
import type { Archive } from "../../engine/archive/archive.ts";
import type { Builds } from "../../engine/aws/builds.ts";
import type { DeadLetter, HeldLetter as Held } from "../../engine/aws/dead-letter.ts";
import type { SiteSecretsStore } from "../../engine/aws/secrets.ts";
import type { Chance } from "../../engine/kit/chance.ts";
import type { Clock } from "../../engine/kit/clock.ts";
import type { Aggregates } from "../../engine/log/execute.ts";
import type { Log } from "../../engine/log/log.ts";
import type { GithubTokenReader } from "../../engine/oidc/github-tokens.ts";
import type { People } from "../../engine/people/people.ts";
import type { manifestsOf } from "../../engine/sweep/found.ts";
import type { Place } from "../../engine/sweep/place.ts";
import type { Plan } from "../../engine/sweep/plan.ts";
import type { Views } from "../../engine/views/views.ts";
import type { Rules } from "../../engine/webhooks/target.ts";
import type { WebhookSecrets } from "../../engine/webhooks/webhook-secrets.ts";
import type { About } from "./letter-about.ts";

/** What the API needs of the world. */
export type Ports = {
  readonly config: Pick<EngineConfig, "sites" | "tokens" | "buckets" | "region">;
  readonly aggregates: Aggregates;
  /** the commits of a stream after a version, strongly consistent, in order; no more of them than `limit` */
  read(stream: string, after: number, limit?: number): Promise<readonly Commit[]>;
  /** commits of a stream before a version, strongly consistent, newest first; as many as fit into an answer, and at most `limit` */
  readBack(stream: string, before: number, limit: number): Promise<readonly Commit[]>;
  readonly log: Log;
  /** who runs of GitHub Actions are; `undefined` where none may do anything */
  readonly githubTokens: GithubTokenReader | undefined;
  /** who is who */
  readonly people: People;
  readonly views: Pick<
    Views,
    | "deployment"
    | "environment"
    | "environments"
    | "deployments"
    | "deploymentsOf"
    | "newestDeployments"
    | "findDeployments"
    | "progress"
    | "claimKey"
    | "noteBegun"
    | "sessions"
    | "waypointBefore"
    | "waypointAfter"
    | "noteWaypoint"
  >;
  readonly sources: Sources;
  readonly builds: Pick<Builds, "get">;
  readonly buildLogs: BuildLogs;
  readonly archive: Pick<Archive, "sealsAfter" | "latest" | "seal" | "unsealed" | "publicKey" | "addressOf">;
  readonly deadLetters: DeadLetters;
  readonly released: Released;
  readonly sight: EngineSight;
  readonly sweeps: Sweeps;
  /** the values of environments' variables */
  readonly secrets: Pick<SiteSecretsStore, "document" | "change">;
  readonly webhooks: Webhooks;
  /** how a stream of events waits; `undefined` where every answer comes whole */
  readonly streaming: Pick<Clock, "sleep"> | undefined;
  readonly clock: Pick<Clock, "now">;
  readonly chance: Chance;
  /** one line for the operator; never a secret */
  report(line: Readonly<Record<string, unknown>>): void;
};

/** What the engine notes of itself. Nothing of it costs more the longer the log is. */
export type EngineSight = {
  /** the last commits of the log, newest first */
  newest(limit: number): Promise<readonly Commit[]>;
  /** the last version of a stream that is known to be on the bus */
  relayed(stream: string): Promise<number>;
  /** asks which rows count now, and then by stream which version its row has read; infinite where a stream has no row */
  projections(): Promise<(stream: string) => Promise<number>>;
  /** until when the reconciler found the whole log on the bus, milliseconds since 1970; 0: it never looked */
  mended(): Promise<number>;
  active(): Promise<DeploymentView[]>;
  /** when the waiting message is due that is due first, milliseconds since 1970 */
  firstDue(): Promise<number | undefined>;
  /** how many streams may have something that is in no seal; no more than `limit` are counted */
  countUnsealed(limit: number): Promise<number>;
  /** how full the code storage was, oldest first */
  codeStorageSamples(): Promise<readonly CodeStorageSample[]>;
  /** `undefined` where nothing was ever sealed */
  newestSeal(): Promise<SealManifest | undefined>;
};

/** What there still is of a release besides the log. */
export type Released = {
  /** `undefined` where the version is gone */
  facts(of: Pick<PublishedFunction, "name" | "version">): Promise<VersionFacts | undefined>;
  /** by the key of its manifest; `undefined` where that is gone */
  publicFiles(manifest: string): Promise<readonly FileDigest[] | undefined>;
};

/** What of an environment stays and goes, and who takes it away. */
export type Sweeps = {
  /** looks at everything that lies in its places */
  /** @param isLean for who waits: without a look at files beyond the first fifty thousand */
  plan(place: SiteConfig, isLean: boolean): Promise<{ readonly place: Place; readonly plan: Plan }>;
  /** what each release of a plan serves besides its functions */
  manifests(place: Place, plan: Plan): ReturnType<typeof manifestsOf>;
  /** puts a message into the queue of `sweep` */
  send(body: string): Promise<void>;
};

/** Where apps' sources are kept, by the digest of their zip. */
export type Sources = {
  /** `undefined` where it was never uploaded */
  find(site: string, sha256: string): Promise<Source | undefined>;
  /** A signed request that may write this one source, and nothing else, for some minutes. */
  prepare(
    site: string,
    sha256: string,
    bytes: number,
  ): Promise<{ source: Source; upload: { url: string; headers: Record<string, string> } }>;
};

export type BuildLogs = {
  /** A page of lines from a token on; the same token again means that there is nothing more for now. */
  read(
    place: { group: string; stream: string },
    next: string | undefined,
  ): Promise<{ lines: { timestamp: number; message: string }[]; next: string | null } | "invalid-token">;
};

/** `about`: what it speaks of; null where that cannot be told */
export type Letter = DeadLetter & { readonly about: About | null };
export type HeldLetter = Held & Letter;
export type DeadLetters = {
  /** what no consumer could take, then what no site could confirm; and the consumers whose queue of dead letters is gone */
  list(): Promise<{ letters: Letter[]; unread: string[] }>;
  /** Holds those whose id begins like this. `more`: whose queue has others behind what is looked through. `afterMs`: it is looked then */
  hold(beginning: string, options?: { afterMs: number }): Promise<{ letters: HeldLetter[]; more: string[] }>;
  /** forgets the pages that a site could not confirm, and answers about how many these were */
  empty(site: string, environment: string): Promise<number>;
};

/** Webhook endpoints: their rows, their secrets, and the queue of what is sent to them. */
export type Webhooks = {
  readonly rows: Pick<Views, "webhooks" | "delivery" | "deliveries" | "noteDelivery" | "health" | "setHealth" | "place" | "forgetPlace">;
  readonly secrets: WebhookSecrets;
  /** which URLs may be used */
  readonly rules: Rules;
  /** puts a message into the queue of `deliver` */
  send(body: string): Promise<void>;
  /** puts a message into the queue of `feed` */
  feed(body: string): Promise<void>;
};
