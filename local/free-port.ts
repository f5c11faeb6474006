import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** The port that was wanted where nobody has it, otherwise 0: any. */
export const freePort = (wanted: number | undefined): Promise<number> => {
  if (wanted === undefined) return Promise.resolve(0);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(0));
    probe.listen(wanted, "127.0.0.1", () => probe.close(() => resolve(wanted)));
  });
};

/** A port that nobody has, for who must know it before something listens there. */
export const anyFreePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
};
