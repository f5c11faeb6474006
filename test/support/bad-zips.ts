import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";

/** Archives that no honest tool makes. */

type Entry = { readonly name: string; readonly content: Buffer; readonly mode?: number };

const zipOf = async (...entries: readonly Entry[]): Promise<Buffer> => {
  const zip = new ZipFile();
  for (const { name, content, mode } of entries) zip.addBuffer(content, name, mode === undefined ? {} : { mode });
  zip.end();
  return buffer(zip.outputStream);
};

/** An entry under a name that a zip library refuses to write: made under another of the same length, and renamed. */
const zipNamed = async (name: string): Promise<Buffer> => {
  const harmless = "z".repeat(name.length);
  const zip = await zipOf({ name: harmless, content: Buffer.from("evil") });
  return Buffer.from(zip.toString("latin1").replaceAll(harmless, name), "latin1");
};

const SYMLINK = 0o120777;

export const climbing = (): Promise<Buffer> => zipNamed("../../evil.txt");
export const absolute = (): Promise<Buffer> => zipNamed("/tmp/shiplog-evil.txt");
export const linkingOut = (): Promise<Buffer> => zipOf({ name: "assets", content: Buffer.from("../../../etc"), mode: SYMLINK });
/** Some kilobytes that unpack to 64 MB. */
export const bomb = (): Promise<Buffer> => zipOf({ name: "assets/zeros", content: Buffer.alloc(64 * 1024 * 1024) });
export const cutShort = async (): Promise<Buffer> => (await zipOf({ name: "a", content: Buffer.from("b") })).subarray(0, 40);
