import { createPublicKey } from "node:crypto";
import { GetPublicKeyCommand, type KMSClient, SignCommand } from "@aws-sdk/client-kms";

export type Signer = ReturnType<typeof kmsSigner>;

/** Signs with an Ed25519 key that never leaves KMS: who can write the log cannot sign a seal of it. */
export const kmsSigner = (client: KMSClient, keyId: string) => ({
  /** base64; `key` names the key that signed */
  sign: async (text: string): Promise<{ signature: string; key: string }> => {
    const { Signature, KeyId = keyId } = await client.send(
      new SignCommand({ KeyId: keyId, Message: Buffer.from(text), MessageType: "RAW", SigningAlgorithm: "ED25519_SHA_512" }),
    );
    return { signature: Buffer.from(Signature ?? []).toString("base64"), key: KeyId };
  },
  /** The public half, as PEM: all that a verifier needs. */
  publicKey: async (): Promise<string> => {
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: keyId }));
    return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" })
      .export({ format: "pem", type: "spki" })
      .toString();
  },
});
