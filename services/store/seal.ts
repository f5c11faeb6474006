import { hash } from "node:crypto";
import type { Commit, Sha256 } from "../../domain/kernel/chain.ts";
import { positionAt } from "../../domain/kernel/position.ts";
import { inLogOrder, type Seal, SealManifest, sealing, signedText } from "../../domain/kernel/seal.ts";

/** Takes the lines of a segment and gives it back as a stored object. */
export type SegmentWriter = {
  write(line: string): Promise<void>;
  /** stores it, gzipped, under a name made of its number and digest */
  end(number: number): Promise<{ key: string; sha256: string; bytes: number }>;
  /** throws it away */
  discard(): Promise<void>;
};

export type Ports = {
  readonly sha256: Sha256;
  readLog(since: string, until: string, limit: number): Promise<readonly Commit[]>;
  /** the newest seal there is */
  latest(): Promise<Seal | undefined>;
  openSegment(): Promise<SegmentWriter>;
  /** the full name of the key that signs now */
  keyName(): Promise<string>;
  /** signs a text with that key; base64 */
  sign(text: string, key: string): Promise<string>;
  /** stores a seal where there is none of its number yet; `false` where somebody else was first */
  store(number: number, seal: Seal): Promise<boolean>;
  now(): number;
};

const sha256Hex: Sha256 = (text) => hash("sha256", text, "hex");
const DAY_MS = 86_400_000;
/** A commit may still be on its way for this long after its position. */
const SETTLE_MS = 60_000;
/** Commits that arrived after their time was sealed are taken up by the next seal, this far back. */
export const LATE_MS = 3_600_000;
/** The first release is younger than this: nothing was ever logged before. */
export const EPOCH = Date.UTC(2026, 10, 1);
const PAGE = 1_000;

/**
 * Seals the log from the last seal up to `until`, an empty stretch too: that proves that nothing happened. Answers the
 * manifest, or `undefined` where there is nothing to seal yet or another sealer was first.
 *
 * @param until milliseconds since 1970; at most a minute ago
 */
export const sealUntil = async (ports: Ports, until: number): Promise<SealManifest | undefined> => {
  const { sha256, now } = ports;
  const before = await ports.latest();
  const previous = before && SealManifest.parse(JSON.parse(before.manifest));
  const since = previous?.until ?? positionAt(EPOCH);
  const end = positionAt(Math.min(until, now() - SETTLE_MS));
  if (end <= since) return undefined;

  const segment = await ports.openSegment();
  try {
    const sealed = sealing(sha256);
    for await (const commit of commitsFor(ports, since, end, previous)) {
      sealed.add(commit);
      await segment.write(JSON.stringify(commit));
    }
    const number = (previous?.number ?? 0) + 1;
    const manifest: SealManifest = {
      v: 1,
      number,
      since,
      until: end,
      ...sealed.end(),
      segment: await segment.end(number),
      previous: before === undefined ? null : sha256Hex(before.manifest),
      sealedAt: new Date(now()).toISOString(),
    };
    return (await ports.store(number, await signed(ports, JSON.stringify(manifest)))) ? manifest : undefined;
  } finally {
    await segment.discard();
  }
};

const signed = async ({ keyName, sign }: Ports, manifest: string): Promise<Seal> => {
  const unsigned = { v: 2, manifest, key: await keyName() } as const;
  return { ...unsigned, signature: await sign(signedText(sha256Hex, unsigned), unsigned.key) };
};

/** The commits of the stretch, after those that came too late for the stretch before. */
async function* commitsFor(ports: Ports, since: string, until: string, previous: SealManifest | undefined): AsyncGenerator<Commit> {
  if (previous !== undefined) {
    const lookBack = positionAt(Math.max(Number(since) - LATE_MS, Number(previous.since)));
    const late = (await ports.readLog(lookBack, since, Number.MAX_SAFE_INTEGER)).filter(
      ({ stream, version, position }) => position < since && version > (previous.heads[stream]?.version ?? 0),
    );
    yield* [...late].sort(inLogOrder);
  }
  for (let from = since, seen = ""; ; ) {
    const page = (await ports.readLog(from, until, PAGE)).filter((commit) => keyOf(commit) > seen);
    for (const commit of page) if (commit.position < until) yield commit;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.position;
    seen = keyOf(last);
  }
}

const keyOf = ({ position, stream, version }: Commit): string => `${position}#${stream}#${version.toString().padStart(10, "0")}`;

/** The start of the present day, UTC: what a daily seal goes up to. */
export const startOfDay = (now: number): number => Math.floor(now / DAY_MS) * DAY_MS;
