import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { join } from "node:path";
import { ACCOUNT, AwsError, type AwsService, REGION } from "../http.ts";
import { openJsonFile } from "./json-file.ts";
import { jsonService } from "./wire.ts";

type Keys = { keys: Record<string, string>; aliases: Record<string, string> };
type ById = { KeyId: string };

/** Of a message that is signed whole. */
const MAX_BYTES = 4_096;

/** KMS, as far as signing with Ed25519 goes. The private keys lie in one file that only its owner may read: a place for trials. */
export function kmsService(dataDir: string): AwsService {
  const file = openJsonFile<Keys>(
    join(dataDir, "kms.json"),
    { keys: {}, aliases: {} },
    0o600,
    "Restore it from a copy: it holds the key of the log's seals, and without it no seal so far can be verified and none be added. Delete it only with the seals",
  );
  const arnOf = (id: string): string => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`;

  function find(given: string): { id: string; pem: string } {
    const id = file.value.aliases[given] ?? given.slice(given.lastIndexOf("/") + 1);
    const pem = file.value.keys[id];
    if (pem === undefined) throw new AwsError("NotFoundException", 400, `Key '${given}' does not exist`);
    return { id, pem };
  }

  return jsonService("kms", {
    CreateKey({ KeySpec, KeyUsage }: { KeySpec?: string; KeyUsage?: string }) {
      if (KeySpec !== "ECC_NIST_EDWARDS25519" || KeyUsage !== "SIGN_VERIFY")
        throw new AwsError("UnsupportedOperationException", 400, "The local KMS makes keys of ECC_NIST_EDWARDS25519 for SIGN_VERIFY only.");
      const id = randomUUID();
      file.value.keys[id] = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
      file.save();
      return { KeyMetadata: { KeyId: id, Arn: arnOf(id), KeySpec, KeyUsage, Enabled: true, KeyState: "Enabled" } };
    },
    CreateAlias({ AliasName, TargetKeyId }: { AliasName: string; TargetKeyId: string }) {
      if (Object.hasOwn(file.value.aliases, AliasName))
        throw new AwsError("AlreadyExistsException", 400, `An alias with the name ${AliasName} already exists`);
      file.value.aliases[AliasName] = find(TargetKeyId).id;
      file.save();
      return {};
    },
    DescribeKey({ KeyId }: ById) {
      const { id } = find(KeyId);
      return {
        KeyMetadata: {
          KeyId: id,
          Arn: arnOf(id),
          KeySpec: "ECC_NIST_EDWARDS25519",
          KeyUsage: "SIGN_VERIFY",
          Enabled: true,
          KeyState: "Enabled",
        },
      };
    },
    GetPublicKey({ KeyId }: ById) {
      const { id, pem } = find(KeyId);
      const der = createPublicKey(createPrivateKey(pem)).export({ format: "der", type: "spki" });
      return {
        KeyId: arnOf(id),
        PublicKey: der.toString("base64"),
        KeySpec: "ECC_NIST_EDWARDS25519",
        KeyUsage: "SIGN_VERIFY",
        SigningAlgorithms: ["ED25519_SHA_512"],
      };
    },
    Sign({
      KeyId,
      Message,
      MessageType = "RAW",
      SigningAlgorithm,
    }: ById & { Message: string; MessageType?: string; SigningAlgorithm?: string }) {
      if (MessageType !== "RAW" || SigningAlgorithm !== "ED25519_SHA_512")
        throw new AwsError("ValidationException", 400, "The local KMS signs RAW messages with ED25519_SHA_512 only.");
      const message = Buffer.from(Message, "base64");
      if (message.length < 1 || message.length > MAX_BYTES)
        throw new AwsError(
          "ValidationException",
          400,
          `1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to ${MAX_BYTES}`,
        );
      const { id, pem } = find(KeyId);
      return {
        KeyId: arnOf(id),
        Signature: sign(null, message, createPrivateKey(pem)).toString("base64"),
        SigningAlgorithm,
      };
    },
  });
}
