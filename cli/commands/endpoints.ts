import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { ManyWebhooks } from "../../client/contract.ts";
import { normalWebhookId, WebhookId } from "../../domain/kernel/identity.ts";
import type { Context } from "../context.ts";
import { CliError } from "../failure.ts";
import { table } from "../terminal.ts";

/** What the commands of webhooks and of subscriptions share: both are endpoints with a secret and with filters. */
type Endpoint = Pick<z.infer<typeof ManyWebhooks>["webhooks"][number], "filters">;

/** The values of an option that may be given again. */
export const collect = (type: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), type];

const UNKNOWN: ReadonlySet<string> = new Set(["webhook.unknown", "subscription.unknown"]);

/** A removal that failed halfway is asked for again by the whole id: the endpoint is not known any more, its secret may be. */
export function removedBefore(given: string, error: unknown): { id: string; url: null } {
  const id = normalWebhookId(given);
  if (error instanceof CliError && UNKNOWN.has(error.code) && WebhookId.safeParse(id).success) return { id, url: null };
  throw error;
}

/** Makes a new signing secret, and prints it once. */
export async function rotateSecret({ api: open, terminal, json }: Context, id: string): Promise<undefined> {
  const rotated = await open().rotateWebhook(id, randomUUID());
  if (json) return void terminal.document(rotated);
  terminal.result(table([["id", id], ...secretRow(rotated.secret)]));
  terminal.note("Keep the secret now: it is not shown again. The one before signs too for another day.");
}

export const secretRow = (secret: string | null): readonly (readonly string[])[] => (secret === null ? [] : [["secret", secret]]);

/** What it hears of, in a few words. */
export const filtersOf = ({ filters: { site, environment, types } }: Endpoint): string =>
  [site !== null || environment !== null ? `${site ?? "*"}/${environment ?? "*"}` : "", types.join(",")].filter(Boolean).join(" ") || "all";
