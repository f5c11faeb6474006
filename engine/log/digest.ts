import { hash } from "node:crypto";
import type { Sha256 } from "../../domain/kernel/chain.ts";

/** As commits and the root of a segment are hashed: base64url. */
export const sha256: Sha256 = (text) => hash("sha256", text, "base64url");

/** As manifests and segments are named: hex. */
export const sha256Hex: Sha256 = (text) => hash("sha256", text, "hex");
