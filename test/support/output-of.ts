import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { filesBelow } from "../../engine/open-next/files.ts";
import type { Output } from "../../engine/open-next/inspect.ts";

/** A build's output in a folder, as it would come out of an archive. */
export const outputOf = async (root: string): Promise<Output> => {
  const held = [];
  for await (const path of filesBelow(root)) held.push({ path, bytes: (await lstat(join(root, path))).size });
  return { root, held };
};
