import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startProxy } from "./proxy.ts";
import { startWorld } from "./world.ts";

/** A world whose commands reach the local AWS through a proxy, which sees every request of theirs. */
export const startProxiedWorld = async (given: Parameters<typeof startWorld>[0]) => {
  const world = await startWorld(given);
  const proxy = await startProxy(world.aws.endpoint.url);
  /** for `--data` */
  const data = join(world.folder, "seen");
  await mkdir(data);
  const { credentials } = world.aws.endpoint;
  const connection = { url: world.dev.apiUrl, token: world.dev.token, endpoint: proxy.url, credentials };
  await writeFile(join(data, "connection.json"), JSON.stringify(connection));
  return {
    world,
    proxy,
    data,
    close: async (): Promise<void> => {
      await proxy.close();
      await world.close();
    },
  };
};
