import type { Views } from "../../engine/views/views.ts";

/** Whether an environment's row has read so far. Nearly always it has: asked for at half the price, and once more where it seems to be behind. */
export const isProjectedTo =
  ({ environment }: Pick<Views, "environment">) =>
  async (version: number, ...place: [site: string, environment: string]): Promise<boolean> => {
    for (const consistent of [false, true]) if (((await environment(...place, { consistent }))?.version ?? 0) >= version) return true;
    return false;
  };
