import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadOrCreateCertificate } from "../../local/edge/certificate.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "edge-certificate-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("The edge's certificate", () => {
  test("is made once, good for this machine's names, its key for the owner only", async () => {
    const made = await loadOrCreateCertificate(dir);
    const read = new X509Certificate(made.cert);
    expect(read.subjectAltName).toBe("DNS:localhost, DNS:*.localhost, IP Address:127.0.0.1");
    expect(Date.parse(read.validTo)).toBeGreaterThan(Date.now() + 5 * 365 * 86_400_000);
    expect((await stat(join(dir, "edge-key.pem"))).mode & 0o777).toBe(0o600);
    expect(await loadOrCreateCertificate(dir)).toEqual(made);
  });

  test("is made anew when the kept pair does not match", async () => {
    const made = await loadOrCreateCertificate(dir);
    await writeFile(join(dir, "edge-key.pem"), "half a ke");
    expect((await loadOrCreateCertificate(dir)).cert).not.toBe(made.cert);
  });

  test("is made anew for a name that it does not have", async () => {
    await loadOrCreateCertificate(dir);
    const { cert } = await loadOrCreateCertificate(dir, ["web.localhost"]);
    expect(new X509Certificate(cert).subjectAltName).toContain("DNS:web.localhost");
  });
});
