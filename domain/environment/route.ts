import * as z from "zod";
import { DeploymentId } from "../kernel/identity.ts";

/** The id of a function's address: the first label of its host. Without dots, so that a host is made of it and nothing else. */
const AddressId = z.string().regex(/^[a-z0-9]{1,64}$/);

/**
 * The public files of a release. Their set is named by its digest, so that the same files are one set; `paths` are the
 * digests of their paths (`pathDigest` of blueprint/edge-table.ts), between commas, where they are few; of more, the table
 * has `rows` rows of their own.
 */
export const PublicSet = z.object({
  set: z.string().regex(/^[0-9a-f]{16}$/),
  rows: z.number().int().nonnegative(),
  paths: z.string().max(300).optional(),
});

/**
 * Where the edge sends what is asked of one release. Stored for ever: in events, and as it is in the edge's table.
 *
 * `sequence`: with which it went live last. `address`: the number of its alias, `r-<address>`, which never moves; what the edge
 * keeps of it is kept under this number. `release`: the id that its pages name (`x-deployment-id`, `?dpl=`). `host`: what follows
 * the ids in its addresses' hosts (`.lambda-url.eu-central-1.on.aws`). `split`: paths of split functions, below the
 * basePath, as a CDN's behaviours write them, each with its address. `base`: the basePath, without slashes at its ends.
 */
export const Route = z.object({
  v: z.literal(1),
  sequence: z.number().int().positive(),
  address: z.number().int().positive(),
  release: DeploymentId,
  host: z.string().regex(/^\.[a-z0-9.:-]+$/),
  server: AddressId,
  image: AddressId,
  split: z.array(z.tuple([z.string().min(1), AddressId])).optional(),
  base: z.string().min(1).optional(),
  files: PublicSet,
});

export type PublicSet = z.infer<typeof PublicSet>;
export type Route = z.infer<typeof Route>;
