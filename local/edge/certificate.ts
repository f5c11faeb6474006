import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";
import { replaceFile } from "../replace-file.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const VALID_DAYS = 3650;

/** PEM texts, and the file that a child process trusts through `NODE_EXTRA_CA_CERTS`. */
export type Certificate = { cert: string; key: string; caFile: string };

/**
 * The local edge's own certificate, made at the first use and kept in `dir` as `edge-cert.pem` and `edge-key.pem` (mode 0600).
 * It is good for localhost, 127.0.0.1 and *.localhost. Node takes no wildcard directly below a top-level name, so a host such as
 * `web.localhost` that Node clients ask over https must be in `hosts`; a new name makes a new certificate.
 */
export async function loadOrCreateCertificate(dir: string, hosts: readonly string[] = []): Promise<Certificate> {
  const caFile = join(dir, "edge-cert.pem");
  const keyFile = join(dir, "edge-key.pem");
  const [cert, key] = await Promise.all([caFile, keyFile].map((file) => readFile(file, "utf8").catch(() => undefined)));
  if (cert && key && isGood(cert, key, hosts)) return { cert, key, caFile };

  const made = await create(hosts);
  await mkdir(dir, { recursive: true });
  // The key first: a crash between the two leaves a pair that does not match, which `isGood` sees.
  replaceFile(keyFile, made.key, 0o600);
  replaceFile(caFile, made.cert, 0o644);
  return { ...made, caFile };
}

function isGood(cert: string, key: string, hosts: readonly string[]): boolean {
  try {
    const read = new X509Certificate(cert);
    const fresh = Date.parse(read.validTo) > Date.now() + 30 * DAY_MS;
    return (
      fresh &&
      read.checkPrivateKey(createPrivateKey(key)) &&
      hosts.every((host) => read.subjectAltName?.split(", ").includes(`DNS:${host}`))
    );
  } catch {
    return false;
  }
}

async function create(hosts: readonly string[]): Promise<{ cert: string; key: string }> {
  const names = [...new Set(["localhost", "*.localhost", ...hosts])];
  const { cert, private: key } = await generate([{ name: "commonName", value: "Shiplog local edge" }], {
    keyType: "ec",
    algorithm: "sha256",
    notBeforeDate: new Date(Date.now() - DAY_MS),
    notAfterDate: new Date(Date.now() + VALID_DAYS * DAY_MS),
    extensions: [
      // It is its own authority, and can vouch for no other certificate below it.
      { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
      { name: "keyUsage", digitalSignature: true, keyCertSign: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: [...names.map((value) => ({ type: 2 as const, value })), { type: 7 as const, ip: "127.0.0.1" }] },
    ],
  });
  return { cert, key };
}
