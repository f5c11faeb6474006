import type { Clock } from "../../../engine/kit/clock.ts";
import { here } from "./world.ts";

/** Time and chance of the world that asks, with its machine's own error. */
export const virtualClock: Clock = {
  now: () => {
    const { world, skewMs } = here();
    return Math.floor(world.now()) + skewMs + world.clocksOffMs();
  },
  sleep: (milliseconds) => {
    const self = here();
    return new Promise((resolve) =>
      self.world.after(Math.max(0, milliseconds), () => {
        if (!self.alive) return;
        self.world.resume(resolve);
      }),
    );
  },
  random: () => here().world.chance(),
};
