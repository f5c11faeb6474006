import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SealManifest } from "../../domain/kernel/seal.ts";
import { type AuditedPast, startAuditedPast } from "../support/audited-past.ts";

let past: AuditedPast;
beforeAll(async () => {
  past = await startAuditedPast();
}, 60_000);
afterAll(() => past.close());

/** A sealed stretch as long as needed: each stream that it names is some 120 bytes of its manifest. */
const put = async (number: number, streams = 0): Promise<void> => {
  const head = { version: 1, hash: "h".repeat(43) };
  const manifest: SealManifest = {
    v: 1,
    number,
    since: String(number).padStart(15, "0"),
    until: String(number + 1).padStart(15, "0"),
    count: streams,
    first: null,
    last: null,
    root: "",
    segment: { key: `segments/${number}.jsonl.gz`, sha256: "", bytes: 1 },
    heads: Object.fromEntries(Array.from({ length: streams }, (_, n) => [`deployment/dep_${String(n).padStart(26, "0")}`, head])),
    previous: null,
    sealedAt: new Date(number).toISOString(),
  };
  const { objects, config } = past.engine;
  const seal = { manifest: JSON.stringify(manifest), signature: "signed", key: "a key" };
  await objects.putNewText(config.buckets.archive, `seals/${String(number).padStart(8, "0")}.json`, JSON.stringify(seal));
};
const page = async (query = "") => {
  const { status, body } = await past.ask("GET", `seals${query}`);
  expect(status).toBe(200);
  expect(body.publicKey).toContain("BEGIN PUBLIC KEY");
  const manifests: SealManifest[] = body.seals.map(({ manifest }: { manifest: string }) => JSON.parse(manifest));
  const segments: string[] = body.seals.map(({ segment }: { segment: string }) => new URL(segment).pathname);
  expect(segments).toEqual(manifests.map(({ segment }) => expect.stringMatching(new RegExp(`/${segment.key}$`))));
  return { numbers: manifests.map(({ number }) => number), next: body.next, bytes: JSON.stringify(body).length };
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe("the pages of seals", () => {
  it("are none where nothing was sealed; the newest is told without the others", async () => {
    const newest = async () => (await past.ask("GET", "seals/newest")).body;
    expect(await newest()).toEqual({ newest: null, unsealed: null });
    expect(await page()).toMatchObject({ numbers: [], next: null });
    for (const number of range(1, 3)) await put(number);
    expect((await newest()).newest).toEqual({ number: 3, sealedAt: new Date(3).toISOString(), count: 0, first: null, last: null });
  });

  it("are one that ends, then twenty seals each, of which no seal is missed or told twice", async () => {
    expect(await page("?after=3")).toMatchObject({ numbers: [], next: null });
    for (const number of range(4, 20)) await put(number);
    expect(await page()).toMatchObject({ numbers: range(1, 20), next: null });
    for (const number of range(21, 45)) await put(number);
    expect(await page()).toMatchObject({ numbers: range(1, 20), next: 20 });
    expect(await page("?after=0")).toMatchObject({ numbers: range(1, 20), next: 20 });
    expect(await page("?after=20")).toMatchObject({ numbers: range(21, 40), next: 40 });
    expect(await page("?after=40")).toMatchObject({ numbers: range(41, 45), next: null });
    expect(await page("?after=45")).toMatchObject({ numbers: [], next: null });
    expect(await page("?after=7")).toMatchObject({ numbers: range(8, 27), next: 27 });
  });

  it("stay small however busy the days were, and have one seal at least", async () => {
    for (const number of range(46, 48)) await put(number, 7_000);
    await put(49, 20_000);
    await put(50);
    const pages = [await page("?after=44")];
    for (let next = pages[0]?.next; typeof next === "number"; next = pages.at(-1)?.next) pages.push(await page(`?after=${next}`));
    expect(pages.map(({ numbers }) => numbers)).toEqual([[45, 46, 47], [48], [49], [50]]);
    for (const { bytes } of pages) expect(bytes).toBeLessThan(3_000_000);
  });

  it.each(["-1", "1.5", "first", "1e400"])("begin after a number, not after %s", async (after) => {
    const { status, body } = await past.ask("GET", `seals?after=${after}`);
    expect([status, body.error.code]).toEqual([400, "query.invalid"]);
    expect(body.error.message).toContain('"after"');
  });
});
