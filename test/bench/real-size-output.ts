import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fixtureFiles } from "../support/fixture-output.ts";

/**
 * An OpenNext output of the size that a small real app has: server 19 MB in 1,200 files (4 MB zipped), image 21 MB
 * (9 MB zipped), 40 assets, 10 cache entries, 41 tag seeds. Everything that a build changes has other content for each
 * release: all three functions, a third of the assets, the cache and its seeds.
 */
export const realSizeOutputs = async (folder: string): Promise<(releaseId: string, target: string) => Promise<void>> => {
  const ballast = join(folder, "ballast");
  await writeAll(ballast, [...serverFiles(), ...imageFiles(), ...assetFiles("shared", 0, 22)]);
  return async (releaseId, target) => {
    await rm(target, { recursive: true, force: true });
    await cp(ballast, target, { recursive: true });
    const small = Object.entries(fixtureFiles({ releaseId })).filter(([path]) => path !== SEEDS);
    await writeAll(target, [...small, ...assetFiles(releaseId, 22, 33), ...cacheFiles(releaseId), [SEEDS, tagSeeds(releaseId)]]);
  };
};

type Content = readonly [path: string, content: string | Buffer];

const SEEDS = "dynamodb-provider/dynamodb-cache.json";
const SERVER = "server-functions/default";
const IMAGE = "image-optimization-function";

function* serverFiles(): Generator<Content> {
  // most files of node_modules are small, and a few make most of the bytes
  for (let n = 0; n < 1_190; n++)
    yield [`${SERVER}/node_modules/package-${n % 90}/lib/file-${n}.js`, words(n, n % 40 === 0 ? 250_000 : 3_000 + ((n * 7_919) % 14_000))];
}

function* imageFiles(): Generator<Content> {
  yield [`${IMAGE}/node_modules/@img/sharp-libvips/lib/libvips-cpp.so`, binary(1, 17_000_000)];
  for (let n = 0; n < 60; n++) yield [`${IMAGE}/node_modules/sharp/lib/file-${n}.js`, words(n, 65_000)];
}

function* assetFiles(seed: string, from: number, to: number): Generator<Content> {
  for (let n = from; n < to; n++) yield [`assets/_next/static/chunks/${seed}-${n}.js`, `// ${seed}\n${words(n, 20_000)}`];
}

function* cacheFiles(releaseId: string): Generator<Content> {
  for (let n = 0; n < 8; n++)
    yield [`cache/${releaseId}/page-${n}.cache`, JSON.stringify({ type: "app", html: `<p>${releaseId}</p>${words(n, 30_000)}` })];
}

const tagSeeds = (releaseId: string): string =>
  JSON.stringify(
    Array.from({ length: 41 }, (_, n) => ({
      tag: { S: `${releaseId}/tag-${n % 13}` },
      path: { S: `${releaseId}/page-${n}` },
      revalidatedAt: { N: "1" },
    })),
  );

const writeAll = async (folder: string, files: Iterable<Content>): Promise<void> => {
  for (const [path, content] of files) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
};

/** The same numbers for the same seed: a run measures what the last one did. */
const numbers = (seed: number) => {
  let state = (seed + 1) * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
};

const VOCABULARY = Array.from(
  { length: 3_000 },
  (_, n) => `${"const function return await import".split(" ")[n % 5]}_${(n * 7_919).toString(36)}`,
);

/** Text that deflates to about a fifth, as JavaScript does. */
const words = (seed: number, bytes: number): string => {
  const next = numbers(seed);
  const parts: string[] = [];
  for (let length = 0; length < bytes; ) {
    const word = VOCABULARY[(next() >>> 8) % VOCABULARY.length] as string;
    parts.push(word);
    length += word.length + 1;
  }
  return parts.join(" ").slice(0, bytes);
};

/** Bytes that deflate to nearly a half, as a shared library does. */
const binary = (seed: number, bytes: number): Buffer => {
  const next = numbers(seed);
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) content.writeUInt32LE(next() & 0x0fff0fff, at);
  return content;
};
