import { Hono } from "hono";
import { ListSeals } from "../../client/contract.ts";
import { type Seal, SealManifest } from "../../domain/kernel/seal.ts";
import { NotAllSealed, SealKeyChanged } from "../../engine/archive/seal.ts";
import { queryOf } from "./body.ts";
import type { Env } from "./caller.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

/** Few enough that their segments are read before their addresses end. */
const PAGE = 20;
/** Lambda answers with 6 MB at most, and a manifest grows where its quotes are quoted. */
const PAGE_BYTES = 2_000_000;

/** `/v1/seals`: what is sealed, where it can be read, what is in no seal, and a seal of that. */
export const seals = ({ archive }: Pick<Ports, "archive">) =>
  new Hono<Env>()
    .get("/", async (context) => {
      const { after } = queryOf(context, ListSeals);
      const { page, next } = await pageOf(archive.sealsAfter(after));
      const listed = await Promise.all(
        page.map(async ({ seal, manifest }) => ({ ...seal, segment: await archive.addressOf(manifest.segment.key) })),
      );
      // it is read after them: what is said to be in no seal is in none of these
      const unsealed = next === null ? ((await archive.unsealed()) ?? null) : null;
      return context.json({ publicKey: await archive.publicKey(), seals: listed, next, unsealed });
    })
    .get("/newest", async (context) => {
      const seal = await archive.latest();
      if (seal === undefined) return context.json({ newest: null, unsealed: null });
      const { number, sealedAt, count, first, last } = SealManifest.parse(JSON.parse(seal.manifest));
      return context.json({ newest: { number, sealedAt, count, first, last }, unsealed: (await archive.unsealed()) ?? null });
    })
    .post("/", async (context) => {
      try {
        return context.json({ sealed: (await archive.seal("only what is new")) ?? null });
      } catch (error) {
        if (error instanceof SealKeyChanged) throw new Problem(409, "seal.key-changed", `${error.message}.`);
        if (error instanceof NotAllSealed) throw new Problem(409, "chain.broken", `${error.message}.`);
        throw error;
      }
    });

type Opened = { readonly seal: Seal; readonly manifest: SealManifest };

/** As many as one answer holds; the first of them in any case. */
const pageOf = async (seals: AsyncIterable<Seal>): Promise<{ page: readonly Opened[]; next: number | null }> => {
  const page: Opened[] = [];
  let bytes = 0;
  for await (const seal of seals) {
    const last = page.at(-1);
    bytes += Buffer.byteLength(seal.manifest);
    if (last !== undefined && (page.length === PAGE || bytes > PAGE_BYTES)) return { page, next: last.manifest.number };
    page.push({ seal, manifest: SealManifest.parse(JSON.parse(seal.manifest)) });
  }
  return { page, next: null };
};
