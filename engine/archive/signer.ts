import { createPublicKey } from "node:crypto";
import { GetPublicKeyCommand, type KMSClient, SignCommand } from "@aws-sdk/client-kms";

export type Signer = ReturnType<typeof kmsSigner>;

/** Signs with an Ed25519 key that never leaves KMS: who can write the log cannot sign a seal of it. */
export const kmsSigner = (client: KMSClient, keyId: string) => ({
  /** The key's ARN, where it is known by an alias too. */
  keyName: async (): Promise<string> => {
    const { KeyId = keyId } = await client.send(new GetPublicKeyCommand({ KeyId: keyId }));
    return KeyId;
  },
  /** @param key what `keyName` answered: an alias may be led to another key meanwhile. @returns base64 */
  sign: async (text: string, key: string): Promise<string> => {
    const { Signature } = await client.send(
      new SignCommand({ KeyId: key, Message: Buffer.from(text), MessageType: "RAW", SigningAlgorithm: "ED25519_SHA_512" }),
    );
    return Buffer.from(Signature ?? []).toString("base64");
  },
  /** The public half, as PEM: all that a verifier needs. */
  publicKey: async (): Promise<string> => {
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: keyId }));
    return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" })
      .export({ format: "pem", type: "spki" })
      .toString();
  },
});
