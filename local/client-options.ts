import type { ClientOptions } from "../engine/aws/clients.ts";
import type { AccessKey } from "./endpoint/access-key.ts";
import { REGION } from "./http.ts";

/** Where a local AWS answers, and what requests to it are signed with. */
export type LocalPlace = { readonly url: string; readonly credentials: AccessKey };

/** What clients of a local AWS are made with. */
export const clientOptions = ({ url, credentials }: LocalPlace): ClientOptions => ({ region: REGION, endpoint: url, credentials });

/** The same as variables: for processes whose clients are made with nothing. */
export const clientEnvironment = ({ url, credentials }: LocalPlace): Record<string, string> => ({
  AWS_ENDPOINT_URL: url,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});
