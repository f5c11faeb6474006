import { SEAL_KEY } from "../blueprint/topology.ts";
import { kept } from "./account.ts";

/** Signs seals of the log. Its private half never leaves KMS: who can write the log cannot sign a seal of it. */
export const sealKey = new aws.kms.Key(
  "SealKey",
  {
    description: "Signs seals of Shiplog's log",
    keyUsage: "SIGN_VERIFY",
    customerMasterKeySpec: "ECC_NIST_EDWARDS25519",
    deletionWindowInDays: kept ? 30 : 7,
  },
  // seals outlive what was deployed
  { retainOnDelete: kept },
);

new aws.kms.Alias("SealKeyAlias", { name: SEAL_KEY, targetKeyId: sealKey.keyId });
