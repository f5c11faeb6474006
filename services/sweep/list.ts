import { createHash } from "node:crypto";
import * as z from "zod";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import { Keep } from "../../domain/environment/keep.ts";
import type { Objects } from "../../engine/aws/objects.ts";
import type { Place } from "../../engine/sweep/place.ts";
import { Thing } from "../../engine/sweep/things.ts";

type Marked = Extract<EnvironmentEvent, { type: "ReleasesMarked" }>["body"];

/** Everything that a mark names, in the bucket of artifacts: what is swept was on it. Stored for ninety days. */
const List = z.object({
  v: z.literal(1),
  keep: Keep,
  releases: z.array(z.object({ deploymentId: z.string(), release: z.string(), rule: z.string() })),
  things: z.array(Thing),
  others: z.array(Thing),
});
export type List = z.infer<typeof List>;

export type Ports = { readonly objects: Pick<Objects, "getText" | "putText"> };

/** Writes a list down. Answers its key and digest, by which it is named. */
export const writeList = async (
  { objects }: Ports,
  { artifacts, lists }: Pick<Place, "artifacts" | "lists">,
  list: List,
): Promise<Pick<Marked, "list" | "digest">> => {
  const text = JSON.stringify(list);
  const digest = createHash("sha256").update(text).digest("hex");
  const key = `${lists}/${digest}.json`;
  await objects.putText(artifacts, key, text);
  return { list: key, digest };
};

/** `undefined` where it is gone, or is not what was written. */
export const readList = async (
  { objects }: Ports,
  { artifacts }: Pick<Place, "artifacts">,
  { list, digest }: Pick<Marked, "list" | "digest">,
): Promise<List | undefined> => {
  const text = await objects.getText(artifacts, list);
  if (text === undefined || createHash("sha256").update(text).digest("hex") !== digest) return undefined;
  return List.safeParse(JSON.parse(text)).data;
};
