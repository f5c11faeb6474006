import { buffer } from "node:stream/consumers";
import { ZipFile } from "yazl";

/** Archives in the place of what a build left. */

const zipOf = async (name: string, content: string): Promise<Buffer> => {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return buffer(zip.outputStream);
};

export const foreign = (): Promise<Buffer> => zipOf("index.mjs", "export const handler = () => 'evil';");
export const cutShort = async (): Promise<Buffer> => (await zipOf("a", "b")).subarray(0, 40);
