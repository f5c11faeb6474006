import { createServer } from "node:net";

/** The port that was wanted where nobody has it, otherwise 0: any. */
export const freePort = (wanted: number | undefined): Promise<number> => {
  if (wanted === undefined) return Promise.resolve(0);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(0));
    probe.listen(wanted, "127.0.0.1", () => probe.close(() => resolve(wanted)));
  });
};
