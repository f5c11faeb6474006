import { type FaultKind, faultKinds } from "./faults.ts";
import { type Run, run } from "./run.ts";

export type Shrunk = { readonly run: Run; readonly without: readonly FaultKind[]; readonly dropped: readonly number[] };

/** Leaves out kinds of faults and user actions for as long as something still goes wrong. */
export const shrink = async (seed: number, theme?: string): Promise<Shrunk | undefined> => {
  let best = await run({ seed, theme });
  if (best.violations.length === 0) return undefined;
  const without = new Set<FaultKind>();
  const dropped = new Set<number>();
  const stillFails = async (): Promise<boolean> => {
    const tried = await run({ seed, without, dropped, theme });
    if (tried.violations.length === 0) return false;
    best = tried;
    return true;
  };
  for (let smaller = true; smaller; ) {
    smaller = false;
    for (let action = best.actions - 1; action >= 0; action--) smaller = (await leaveOut(dropped, action)) || smaller;
    for (const kind of faultKinds) if (best.faults[kind] > 0) smaller = (await leaveOut(without, kind)) || smaller;
  }
  return { run: await run({ seed, without, dropped, theme, record: true }), without: [...without], dropped: [...dropped] };

  async function leaveOut<T>(set: Set<T>, one: T): Promise<boolean> {
    if (set.has(one)) return false;
    set.add(one);
    if (await stillFails()) return true;
    set.delete(one);
    return false;
  }
};
