import { Hono } from "hono";
import { SealManifest } from "../../domain/kernel/seal.ts";
import type { Env } from "./caller.ts";
import type { Ports } from "./ports.ts";

/** `/v1/seals`: what is sealed, where it can be read, and a seal of everything until now. */
export const seals = ({ archive, clock }: Pick<Ports, "archive" | "clock">) =>
  new Hono<Env>()
    .get("/", async (context) => {
      const all = await archive.seals();
      const listed = await Promise.all(
        all.map(async (seal) => ({ ...seal, segment: await archive.addressOf(SealManifest.parse(JSON.parse(seal.manifest)).segment.key) })),
      );
      return context.json({ publicKey: await archive.publicKey(), seals: listed });
    })
    .post("/", async (context) => context.json({ sealed: (await archive.seal(clock.now())) ?? null }));
