import { createHmac, randomBytes } from "node:crypto";
import * as z from "zod";
import { firstLedger, LEDGER_KEY } from "../../blueprint/variables.ts";
import { type Fingerprints, MAX_FINGERPRINTS } from "../../domain/deployment/shapes.ts";

/** A secret that nobody can read values from until somebody writes it again; the message never quotes it. */
export class SecretDamaged extends Error {
  override readonly name = "SecretDamaged";
}

const revisions = z.record(z.string(), z.number().int().positive());
const Ledger = z.object({
  key: z.string().min(32),
  /** raised with every change that the engine makes */
  revision: z.number().int().nonnegative(),
  /** revision in which each was last set or removed by `shiplog env`; not those whose values came otherwise */
  set: revisions,
  removed: revisions,
});
export type Ledger = z.infer<typeof Ledger>;

/** What the secret of an environment holds. `ledger` is null in one that an older release made, or somebody wrote by hand. */
export type SiteDocument = { readonly values: Readonly<Record<string, string>>; readonly ledger: Ledger | null };

const Values = z.record(z.string(), z.string());

/** @throws SecretDamaged where it is not a flat JSON object of strings */
export const readDocument = (text: string, secret: string): SiteDocument => {
  const parsed = Values.safeParse(safeJson(text));
  if (!parsed.success)
    throw new SecretDamaged(`the secret ${secret} is not a flat JSON object of strings: write it again with every value as a string`);
  const { [LEDGER_KEY]: own, ...values } = parsed.data;
  const ledger = Ledger.safeParse(own === undefined ? undefined : safeJson(own));
  return { values, ledger: ledger.success ? ledger.data : null };
};

export const writeDocument = ({ values, ledger }: SiteDocument): string =>
  JSON.stringify({ ...values, ...(ledger !== null && { [LEDGER_KEY]: JSON.stringify(ledger) }) });

/** A ledger where there is none. `revision`: the highest that the log knows, so that what is written from now on is newer. */
export const newLedger = (revision = 0): Ledger => ({
  ...Ledger.parse(safeJson(firstLedger(randomBytes(32).toString("base64")))),
  revision,
});

/** Names a value to who has the key; to others it says nothing, however short the value is. */
export const fingerprintOf = ({ key }: Pick<Ledger, "key">, name: string, value: string): string =>
  createHmac("sha256", key).update(`${name}\0${value}`).digest("hex").slice(0, 16);

/** Of every value, by name; `undefined` where there is no key to make them with, or they are too many for an event. */
export const fingerprintsOf = ({ values, ledger }: SiteDocument): Fingerprints | undefined => {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  if (ledger === null || entries.length > MAX_FINGERPRINTS) return undefined;
  return Object.fromEntries(entries.map(([name, value]) => [name, fingerprintOf(ledger, name, value)]));
};

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
