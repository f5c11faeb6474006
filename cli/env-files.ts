import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readDotenv } from "./dotenv.ts";
import { usageError } from "./failure.ts";

/** Values of a dotenv file: for every environment, or for the one that is named (`web/production`). */
export type EnvFile = { readonly place: string | null; readonly values: Readonly<Record<string, string>> };

const FOR_ONE = /^([a-z][a-z0-9-]*\/[a-z][a-z0-9-]*)=(.+)$/s;

/** Reads what `--env-file FILE` and `--env-file SITE/ENVIRONMENT=FILE` name, in order. @throws CliError (usage) */
export const readEnvFiles = (given: readonly string[]): Promise<EnvFile[]> =>
  Promise.all(
    given.map(async (one) => {
      const [, place = null, file = one] = FOR_ONE.exec(one) ?? [];
      const text = await readFile(resolve(file), "utf8").catch((error: NodeJS.ErrnoException) => {
        throw usageError(`--env-file ${file} cannot be read (${error.code}).`, "Write FILE, or SITE/ENVIRONMENT=FILE.");
      });
      return { place, values: readDotenv(text) };
    }),
  );
