import { lastUsed, type Memory } from "../../../engine/log/memory.ts";
import { here, type World } from "../world/world.ts";

/** Execution environments of Lambda in a world: each remembers the streams that it saw last, however long ago that was. */
const WARM = 3;
/** Streams that one remembers. */
const MOST = 4;

const memories = new WeakMap<World, Map<string, Memory<never>>>();

/** What the asking process remembers from earlier invocations in the same execution environment. */
export const memoryOf = (category: string): Memory<never> => {
  const mine = (): Memory<never> => {
    const { world, id } = here();
    const all = memories.get(world) ?? new Map<string, Memory<never>>();
    memories.set(world, all);
    const key = `${category} ${id % WARM}`;
    const memory = all.get(key) ?? lastUsed<never>(MOST);
    all.set(key, memory);
    return memory;
  };
  return {
    get: (stream) => mine().get(stream),
    set: (stream, known) => mine().set(stream, known),
    forget: (stream) => mine().forget(stream),
  };
};
