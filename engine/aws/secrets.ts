import { hash } from "node:crypto";
import { GetSecretValueCommand, PutSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Fingerprints } from "../../domain/deployment/shapes.ts";
import type { Clock } from "../kit/clock.ts";
import { problemOf } from "./errors.ts";
import { fingerprintsOf, readDocument, type SiteDocument, writeDocument } from "./site-document.ts";

export { SecretDamaged } from "./site-document.ts";

/** The values of an environment's variables. They go into builds and functions, and never into events, logs or errors. */
export type SiteSecrets = {
  readonly values: Readonly<Record<string, string>>;
  /** names this set of values without giving any away */
  readonly version: string;
  /** names each value; `undefined` in a secret of an older release */
  readonly fingerprints?: Fingerprints | undefined;
};

/** Thirty writers of one secret at once needed eight; each try means that somebody else got on. */
const MAX_TRIES = 24;
/** So often in a row the same content is taken for a late answer: about a second. Then somebody put it back by hand. */
const LATE_READS = 10;

export const siteSecrets = (client: SecretsManagerClient, clock: Pick<Clock, "sleep" | "random">) => {
  const open = async (secret: string): Promise<{ document: SiteDocument; version: string }> => {
    const { SecretString = "", VersionId = "" } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
    return { document: readDocument(SecretString, secret), version: VersionId };
  };
  return {
    /** Throws where the secret is missing. @throws SecretDamaged where it is not a flat JSON object of strings */
    read: async (secret: string): Promise<SiteSecrets> => {
      const { document, version } = await open(secret);
      return { values: document.values, version, fingerprints: fingerprintsOf(document) };
    },
    /** The whole of it, with the word that it keeps about itself. */
    document: async (secret: string): Promise<SiteDocument> => (await open(secret)).document,
    /**
     * Writes what `edit` makes of the present content, or nothing where that answers `undefined`; gives what is there then.
     * Two at once lose nothing: Secrets Manager has no condition for a write, but takes a version's id once, so that the id of
     * the next version follows from the present one's, and of two that read the same content one is refused and edits again.
     */
    change: async (secret: string, edit: (document: SiteDocument) => SiteDocument | undefined): Promise<SiteDocument> => {
      let seen = "";
      let same = 0;
      for (let tries = 1; ; tries++) {
        const { document, version } = await open(secret);
        same = version === seen ? same + 1 : 0;
        seen = version;
        const after = edit(document);
        if (after === undefined) return document;
        const ClientRequestToken = successorOf(version, Math.floor(same / LATE_READS));
        try {
          await client.send(new PutSecretValueCommand({ SecretId: secret, SecretString: writeDocument(after), ClientRequestToken }));
          return after;
        } catch (error) {
          if (problemOf(error) !== "exists" || tries === MAX_TRIES) throw error;
        }
        await clock.sleep(clock.random() * 2 ** Math.min(tries, 6) * 5);
      }
    },
  };
};
export type SiteSecretsStore = ReturnType<typeof siteSecrets>;

/** The one id that the version after this one may have; another one after each turn in which the version was put back by hand. */
const successorOf = (version: string, turn: number): string => hash("sha256", `${version}\n${turn}`, "hex");
