import type { Commit, Sha256 } from "../../domain/kernel/chain.ts";
import { type Missing, NOTHING_SEALED, type Seal, type SealedHead, SealManifest, sealedWith } from "../../domain/kernel/seal.ts";

/** What is sealed of each stream, as notes: they follow from the seals, and are behind them where a sealer ended early. */
export type Ports = {
  readonly sha256: Sha256;
  unsealedStreams(): Promise<readonly string[]>;
  noteUnsealed(stream: string, version: number): Promise<unknown>;
  sealedHead(stream: string): Promise<SealedHead | undefined>;
  noteSealed(stream: string, head: SealedHead): Promise<unknown>;
  /** number of the last seal whose streams are all noted; `undefined` where notes were never made */
  sealsNoted(): Promise<number | undefined>;
  noteSeals(number: number): Promise<unknown>;
  /** the seals behind a number, in order */
  sealsAfter(number: number): AsyncIterable<Seal>;
  /** the commits of a sealed segment, in its order */
  commitsOf(manifest: SealManifest): AsyncIterable<Commit>;
  /** the whole log, each stream in its order */
  wholeLog(): AsyncIterable<readonly Commit[]>;
};

/** Brings the notes up to the last seal. Where there are none, they are made of all seals and the whole log, once. */
export const catchUp = async (ports: Ports, number: number): Promise<void> => {
  const noted = await ports.sealsNoted();
  if (noted === undefined) {
    const heads = await headsOf(ports);
    for (const [stream, head] of heads) await ports.noteSealed(stream, head);
    const ends = await endsOf(ports);
    for (const [stream, version] of ends) {
      const { version: sealed, missing } = heads.get(stream) ?? NOTHING_SEALED;
      if (version > sealed || missing.length > 0) await ports.noteUnsealed(stream, version);
    }
    await ports.noteSeals(number);
    return;
  }
  if (noted >= number) return;
  for await (const seal of ports.sealsAfter(noted)) {
    const manifest = SealManifest.parse(JSON.parse(seal.manifest));
    for (const [stream, runs] of Object.entries(runsOf(manifest)))
      await ports.noteSealed(stream, afterRuns((await ports.sealedHead(stream)) ?? NOTHING_SEALED, runs));
    await ports.noteSeals(manifest.number);
  }
};

type Runs = readonly { readonly from?: number; readonly to: number; readonly hash: string }[];

/** A manifest by time says where a stream ended, and not where it began. */
const runsOf = (manifest: SealManifest): Readonly<Record<string, Runs>> =>
  manifest.v === 1
    ? Object.fromEntries(Object.entries(manifest.heads).map(([stream, { version, hash }]) => [stream, [{ to: version, hash }]]))
    : manifest.streams;

const afterRuns = (head: SealedHead, runs: Runs): SealedHead => {
  let { version, hash, missing } = head;
  for (const run of runs) {
    if (run.to > version) ({ to: version, hash } = run);
    else missing = missing.flatMap((gap) => withoutRun(gap, run));
  }
  return { version, hash, missing };
};

const withoutRun = (gap: Missing, { from = gap.from, to, hash }: Runs[number]): Missing[] => {
  if (gap.from < from || gap.from > to) return [gap];
  return to < gap.to ? [{ ...gap, from: to + 1, before: hash }] : [];
};

/** What all seals together have of each stream. Segments are read only where the counts say that seals by time passed something over. */
const headsOf = async (ports: Pick<Ports, "sealsAfter" | "commitsOf">): Promise<Map<string, SealedHead>> => {
  const manifests: SealManifest[] = [];
  let heads = new Map<string, SealedHead>();
  for await (const seal of ports.sealsAfter(0)) {
    const manifest = SealManifest.parse(JSON.parse(seal.manifest));
    manifests.push(manifest);
    for (const [stream, runs] of Object.entries(runsOf(manifest))) heads.set(stream, afterRuns(heads.get(stream) ?? NOTHING_SEALED, runs));
  }
  const sum = (numbers: Iterable<number>): number => [...numbers].reduce((one, other) => one + other, 0);
  if (sum([...heads.values()].map(({ version }) => version)) === sum(manifests.map(({ count }) => count))) return heads;
  heads = new Map();
  for (const manifest of manifests)
    for await (const commit of ports.commitsOf(manifest)) {
      const next = sealedWith(heads.get(commit.stream) ?? NOTHING_SEALED, commit);
      if ("reason" in next) throw new Error(`seal ${manifest.number} does not follow from the seals before it: ${next.reason}`);
      heads.set(commit.stream, next);
    }
  return heads;
};

/** The last version of each stream. */
const endsOf = async ({ wholeLog }: Pick<Ports, "wholeLog">): Promise<Map<string, number>> => {
  const ends = new Map<string, number>();
  for await (const commits of wholeLog())
    for (const { stream, version } of commits) ends.set(stream, Math.max(version, ends.get(stream) ?? 0));
  return ends;
};
