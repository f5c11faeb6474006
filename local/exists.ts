import { lstat } from "node:fs/promises";

/** Whether something is there, be it a link to nothing. */
export const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
