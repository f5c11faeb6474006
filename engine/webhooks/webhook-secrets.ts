import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import * as z from "zod";
import { webhookSecret } from "../../blueprint/topology.ts";
import { problemOf, unlessMissing } from "../aws/errors.ts";

/** What must be known to send to an endpoint, and by nobody else. It is never in an event, a log, an error or a view. */
const EndpointSecret = z.object({
  url: z.string(),
  /** signing secrets, newest first; `until` is when an old one ends, in milliseconds since 1970 */
  signing: z.array(z.object({ secret: z.string(), until: z.number().nullable(), cause: z.string() })),
});
export type EndpointSecret = z.infer<typeof EndpointSecret>;

/** The URLs and signing secrets of webhook endpoints: one secret for each, apart from the log and its read models. */
export const webhookSecrets = (client: SecretsManagerClient) => {
  /** `undefined` where there is none; the message of a fault never quotes it. */
  const read = async (webhookId: string): Promise<EndpointSecret | undefined> => {
    const found = await unlessMissing(client.send(new GetSecretValueCommand({ SecretId: webhookSecret(webhookId) })));
    if (found === undefined) return undefined;
    const parsed = EndpointSecret.safeParse(safeJson(found.SecretString ?? ""));
    if (!parsed.success) throw new Error(`the secret ${webhookSecret(webhookId)} is damaged: remove the endpoint and add it again`);
    return parsed.data;
  };
  return {
    read,
    /** Keeps a new endpoint's secret; where one is there already it stays, and is answered. */
    create: async (webhookId: string, secret: EndpointSecret): Promise<EndpointSecret> => {
      try {
        await client.send(new CreateSecretCommand({ Name: webhookSecret(webhookId), SecretString: JSON.stringify(secret) }));
        return secret;
      } catch (error) {
        if (problemOf(error) !== "exists") throw error;
        return (await read(webhookId)) ?? secret;
      }
    },
    write: async (webhookId: string, secret: EndpointSecret): Promise<void> => {
      await client.send(new PutSecretValueCommand({ SecretId: webhookSecret(webhookId), SecretString: JSON.stringify(secret) }));
    },
    /** At once and for good: a URL that may be abused must not wait thirty days for its end. */
    forget: async (webhookId: string): Promise<void> => {
      await unlessMissing(client.send(new DeleteSecretCommand({ SecretId: webhookSecret(webhookId), ForceDeleteWithoutRecovery: true })));
    },
  };
};
export type WebhookSecrets = ReturnType<typeof webhookSecrets>;

const safeJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
