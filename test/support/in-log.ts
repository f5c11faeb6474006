import type { Engine } from "../../engine/wiring/engine.ts";

/** An actor as the log has them: `alice (token default)` → `per_… (token default)`. */
export const inLog = async ({ people }: Pick<Engine, "people">, actor: string): Promise<string> => {
  const [name = "", ...proof] = actor.split(" (");
  const found = (await people.all()).find((person) => person.name === name);
  if (found === undefined) throw new Error(`nobody is called ${name}`);
  return [found.id, ...proof].join(" (");
};
