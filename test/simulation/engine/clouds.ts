import type { Cloud } from "../aws/cloud.ts";
import { here, type World } from "../world/world.ts";

const clouds = new WeakMap<World, Cloud>();
export const register = (cloud: Cloud): void => void clouds.set(cloud.world, cloud);

/** The cloud of the world that the asking process lives in. */
export const cloudHere = (): Cloud => {
  const cloud = clouds.get(here().world);
  if (cloud === undefined) throw new Error("this world has no cloud");
  return cloud;
};
