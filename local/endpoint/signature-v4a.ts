import { createECDH, createHmac, createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { Sha256 } from "@smithy/core/checksum";
import { getCanonicalHeaders, getPayloadHash, prepareRequest, SignatureV4Base } from "@smithy/signature-v4";
import { REGION } from "../http.ts";
import type { AccessKey } from "./access-key.ts";

/** Signature Version 4A: for services that have no region. It is made with a key pair, and only the public half is needed here. */
export const ALGORITHM_V4A = "AWS4-ECDSA-P256-SHA256";

/** The header that says in which regions the signature holds. */
export const REGION_SET = "x-amz-region-set";

/** The part of a request that is signed, as signers take it. */
export type Signable = Parameters<typeof prepareRequest>[0];

/** What is signed of a request, and how it says that it was. */
export type SignedV4a = {
  readonly request: Signable;
  readonly service: string;
  readonly day: string;
  /** `20260101T000000Z` */
  readonly date: string;
  readonly signedHeaders: readonly string[];
  /** DER in hexadecimal digits */
  readonly signature: string;
};

/** Whether a request was signed with the secret of this key, for this region among others. */
export const isSignedV4a = async (signed: SignedV4a, key: AccessKey): Promise<boolean> => {
  const regions = String(signed.request.headers[REGION_SET] ?? "").split(",");
  if (!regions.some((one) => one.trim() === "*" || one.trim() === REGION)) return false;
  const text = await new CanonicalText(signed.service).textOf(signed);
  return verify("sha256", Buffer.from(text), publicKeyOf(key), Buffer.from(signed.signature, "hex"));
};

/** The canonical request is the one of Version 4, which the SDK's base class makes. */
class CanonicalText extends SignatureV4Base {
  constructor(service: string) {
    const nobody = { accessKeyId: "", secretAccessKey: "" };
    super({ service, region: "*", credentials: nobody, sha256: Sha256, uriEscapePath: true, applyChecksum: false });
  }

  async textOf({ request, service, day, date, signedHeaders }: SignedV4a): Promise<string> {
    const prepared = prepareRequest(request);
    prepared.headers["x-amz-date"] = date;
    const digest = await getPayloadHash(prepared, Sha256);
    const headers = getCanonicalHeaders(prepared, undefined, new Set(signedHeaders));
    const canonical = this.createCanonicalRequest(prepared, headers, digest);
    return this.createStringToSign(date, `${day}/${service}/aws4_request`, canonical, ALGORITHM_V4A);
  }
}

const known = new Map<string, KeyObject>();

const publicKeyOf = (key: AccessKey): KeyObject => {
  const name = hash("sha256", `${key.accessKeyId}\n${key.secretAccessKey}`);
  const found = known.get(name) ?? derived(key);
  known.set(name, found);
  return found;
};

/** The order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The key pair that follows from a secret: NIST SP 800-108, in counter mode, until a number is a private key. */
const derived = ({ accessKeyId, secretAccessKey }: AccessKey): KeyObject => {
  for (let counter = 1; counter <= 254; counter++) {
    const context = Buffer.concat([Buffer.from(accessKeyId), Buffer.from([counter])]);
    const input = Buffer.concat([uint32(1), Buffer.from(ALGORITHM_V4A), Buffer.from([0]), context, uint32(256)]);
    const candidate = BigInt(`0x${createHmac("sha256", `AWS4A${secretAccessKey}`).update(input).digest("hex")}`);
    if (candidate <= ORDER - 2n) return publicHalfOf(candidate + 1n);
  }
  throw new Error(`No signing key follows from the secret of ${accessKeyId}.`);
};

const publicHalfOf = (secret: bigint): KeyObject => {
  const curve = createECDH("prime256v1");
  curve.setPrivateKey(secret.toString(16).padStart(64, "0"), "hex");
  const point = curve.getPublicKey(); // 04, x, y
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString("base64url"));
  return createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" } });
};

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
