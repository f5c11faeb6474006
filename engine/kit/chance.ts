import { randomBytes, randomUUID } from "node:crypto";
import { ulid } from "ulid";

/** What must be unlike anything before it, or must not be guessed: an argument, so that a simulation gives its own. */
export type Chance = {
  /** `dep_` and a ULID of that time (milliseconds since 1970) */
  deploymentId(now: number): string;
  /** `per_` and a ULID of that time (milliseconds since 1970) */
  personId(now: number): string;
  /** names one request to the API */
  requestId(): string;
  /** 32 random bytes, base64url */
  sessionSecret(): string;
  /** `whsec_` and 32 random bytes */
  signingSecret(): string;
};

/** Chance as the machine has it. */
export const systemChance: Chance = {
  deploymentId: (now) => `dep_${ulid(now)}`,
  personId: (now) => `per_${ulid(now)}`,
  requestId: () => randomUUID(),
  sessionSecret: () => randomBytes(32).toString("base64url"),
  signingSecret: () => `whsec_${randomBytes(32).toString("base64")}`,
};
