import type { SiteConfig } from "../../blueprint/engine-config.ts";
import { siteResources } from "../../blueprint/site-resources.ts";
import { MAX_ENVIRONMENT_BYTES } from "../../blueprint/variables.ts";
import { problemOf } from "../../engine/aws/errors.ts";
import { SecretDamaged } from "../../engine/aws/secrets.ts";
import { type Ledger, newLedger, type SiteDocument } from "../../engine/aws/site-document.ts";
import { settingsOf } from "../../engine/open-next/settings.ts";
import type { Ports } from "./ports.ts";
import { Problem } from "./problem.ts";

export type Values = Readonly<Record<string, string>>;
export type Held = { readonly values: Values; readonly ledger: Ledger };

export const nameOf = ({ site, environment }: SiteConfig): string => `${site}/${environment}`;

/** The secret that holds an environment's values. One that cannot be used is a no with what to do, which quotes nothing of it. */
export const variableSecret = ({ secrets }: Pick<Ports, "secrets">) => {
  const secretOf = ({ site, environment }: SiteConfig): string => siteResources(site, environment).secret;
  return {
    read: (place: SiteConfig): Promise<SiteDocument> => usable(place, secrets.document(secretOf(place))),
    /**
     * @param floor the highest revision in the log: what is written is newer, also where there is no ledger, or somebody
     * has put an earlier one back
     * @param edit nothing is written where it answers `undefined`, and there is a ledger
     */
    change: async (place: SiteConfig, floor: number, edit: (held: Held) => Held | undefined): Promise<Held> => {
      const made = newLedger(floor);
      const { values, ledger } = await usable(
        place,
        secrets.change(secretOf(place), (document) => {
          const ledger = document.ledger ?? made;
          const held = { values: document.values, ledger: { ...ledger, revision: Math.max(ledger.revision, floor) } };
          return edit(held) ?? (document.ledger === null ? held : undefined);
        }),
      );
      return { values, ledger: ledger ?? made };
    },
  };
};

const usable = async <T>(place: SiteConfig, asked: Promise<T>): Promise<T> => {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof SecretDamaged)
      throw new Problem(409, "variables.damaged", `The values of ${nameOf(place)} cannot be used: ${error.message}.`);
    if (problemOf(error) !== "missing") throw error;
    throw new Problem(
      409,
      "variables.missing",
      `The secret of ${nameOf(place)} is not there: deploy the infrastructure, which makes it, or start \`shiplog dev\` again.`,
    );
  }
};

/** The ledger after a change of these: each is under one heading. */
export const noted = (ledger: Ledger, as: "set" | "removed", names: readonly string[]): Ledger => {
  const revision = ledger.revision + 1;
  const of = (heading: "set" | "removed"): Record<string, number> => {
    const others = Object.entries(ledger[heading]).filter(([name]) => !names.includes(name));
    return Object.fromEntries(heading === as ? [...others, ...names.map((name) => [name, revision] as const)] : others);
  };
  return { ...ledger, revision, set: of("set"), removed: of("removed") };
};

/** Only functions of pictures are told which set they have. */
const ANY_SET = "";

/** Everything that a server is given must be what Lambda takes, as Lambda measures it. @throws Problem */
export const checkSize = (place: SiteConfig, { buckets, region }: Ports["config"], values: Values): void => {
  const { settings } = settingsOf(
    "server",
    "index.handler",
    place,
    { bucket: buckets.static, region, set: ANY_SET },
    { values, version: "" },
  );
  const bytes = Buffer.byteLength(JSON.stringify(settings.variables));
  if (bytes <= MAX_ENVIRONMENT_BYTES) return;
  throw new Problem(
    409,
    "variables.large",
    `The variables of ${nameOf(place)} would be ${bytes} bytes with what the engine gives its servers, and Lambda takes ${MAX_ENVIRONMENT_BYTES}: shorten values, or keep what is long elsewhere. Nothing was changed.`,
  );
};
