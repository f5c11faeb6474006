import * as z from "zod";

/** Crockford base 32, 26 characters: sorts by time of creation. */
const ULID = "[0-7][0-9A-HJKMNP-TV-Z]{25}";

/** Name of a site or an environment: short enough for every resource name made from it, and safe in URLs and keys. */
export const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/, "must be 1-20 characters: lower-case letters, digits and dashes, beginning with a letter")
  .regex(/[a-z0-9]$/, "must not end with a dash");

export const DeploymentId = z.string().regex(new RegExp(`^dep_${ULID}$`), "must be a deployment id, dep_ and 26 characters");

/** `wh_` and a ULID's characters; made of the command that added it, so that a repeated one names the same endpoint. */
export const WebhookId = z.string().regex(new RegExp(`^wh_${ULID}$`), "must be the id of a webhook endpoint, wh_ and 26 characters");

/** `ses_` and a ULID's characters; made of the command that began it. */
export const SessionId = z.string().regex(new RegExp(`^ses_${ULID}$`), "must be the id of a session, ses_ and 26 characters");

/** `per_` and a ULID: what the log has in place of a person's name. Nothing of the name is in it. */
export const PersonId = z.string().regex(new RegExp(`^per_${ULID}$`), "must be the pseudonym of a person, per_ and 26 characters");
/** Pseudonyms anywhere in a text, also in JSON where an escape is before one. */
export const PSEUDONYMS = new RegExp(`per_${ULID}`, "g");

/** The id as it is written, of what a person typed: with or without `wh_`, in any case, whole or its beginning. */
export const normalWebhookId = (given: string): string => `wh_${given.replace(/^wh_/i, "").toUpperCase()}`;

/** The id that the queue gave a dead letter when it was put aside: a UUID on AWS. */
export const LetterId = z.string().regex(/^[\w-]{1,100}$/, "must be the id of a dead letter");

/** What streams are of: a stream's name begins with one. Stored for ever. */
export const categories = ["deployment", "environment", "webhook", "session", "letter", "person"] as const;
export type Category = (typeof categories)[number];

export const deploymentStream = (deploymentId: string): string => `deployment/${deploymentId}`;
export const environmentStream = (site: string, environment: string): string => `environment/${site}/${environment}`;
export const webhookStream = (webhookId: string): string => `webhook/${webhookId}`;
export const sessionStream = (sessionId: string): string => `session/${sessionId}`;
export const letterStream = (letterId: string): string => `letter/${letterId}`;
export const personStream = (personId: string): string => `person/${personId}`;

export const isOf = (category: Category, stream: string): boolean => stream.startsWith(`${category}/`);

/** Throws where no stream is named so. */
export const categoryOf = (stream: string): Category => {
  const found = categories.find((category) => isOf(category, stream));
  if (found === undefined) throw new Error(`"${stream}" is no stream: one begins with ${categories.join("/, ")}/`);
  return found;
};

/** What follows the category in a stream's name, in its parts. */
const partsOf = (category: Category, stream: string): string[] => {
  if (!isOf(category, stream)) throw new Error(`"${stream}" is not the stream of ${category === "environment" ? "an" : "a"} ${category}`);
  return stream.slice(category.length + 1).split("/");
};

/** `environment/web/production` → `{ site: "web", environment: "production" }` */
export const siteOf = (stream: string): { site: string; environment: string } => {
  const [site, environment] = partsOf("environment", stream);
  if (site === undefined || environment === undefined) throw new Error(`"${stream}" is not the stream of an environment`);
  return { site, environment };
};
export const deploymentOf = (stream: string): string => partsOf("deployment", stream)[0] as string;
export const webhookOf = (stream: string): string => partsOf("webhook", stream)[0] as string;
export const sessionOf = (stream: string): string => partsOf("session", stream)[0] as string;
