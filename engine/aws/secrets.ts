import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod";

/** The values of an environment's variables. They go into builds and functions, and never into events, logs or errors. */
export type SiteSecrets = {
  readonly values: Readonly<Record<string, string>> /** names this set of values without giving any away */;
  readonly version: string;
};

const Values = z.record(z.string(), z.string());

/** A secret that nobody can read values from until somebody writes it again; the message never quotes it. */
export class SecretDamaged extends Error {
  override readonly name = "SecretDamaged";
}

export const siteSecrets = (client: SecretsManagerClient) => ({
  /** Throws where the secret is missing. @throws SecretDamaged where it is not a flat JSON object of strings */
  read: async (secret: string): Promise<SiteSecrets> => {
    const { SecretString = "", VersionId = "" } = await client.send(new GetSecretValueCommand({ SecretId: secret }));
    const values = Values.safeParse(safeJson(SecretString));
    if (!values.success)
      throw new SecretDamaged(`the secret ${secret} is not a flat JSON object of strings: write it again with every value as a string`);
    return { values: values.data, version: VersionId };
  },
});

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
