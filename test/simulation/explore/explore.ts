import { type Action, beginTrial, type Scope } from "./trial.ts";

export type Explored = {
  readonly states: number;
  /** ends that were reached */
  readonly ends: number;
  readonly runs: number;
  readonly violation: { readonly what: string; readonly path: readonly Action[] } | null;
};

type Path = { readonly action: Action; readonly before: Path } | undefined;
const listed = (path: Path): Action[] => {
  const actions: Action[] = [];
  for (let at = path; at !== undefined; at = at.before) actions.push(at.action);
  return actions.reverse();
};

/**
 * Every order in which the calls of some flips can happen, and every call before which one may die. Depth first: the real
 * code cannot be copied in the middle, so each branch is run again from the beginning; a state that was seen is left.
 */
export const explore = async (scope: Scope, most = Number.POSITIVE_INFINITY): Promise<Explored> => {
  const seen = new Set<string>();
  const branches: Path[] = [undefined];
  let ends = 0;
  let runs = 0;
  while (branches.length > 0 && seen.size < most) {
    let path = branches.pop();
    const trial = beginTrial(scope);
    runs += 1;
    for (const action of listed(path)) await trial.perform(action);
    for (;;) {
      const state = trial.hash();
      if (seen.has(state)) break;
      seen.add(state);
      const [first, ...others] = trial.enabled();
      if (first === undefined) {
        ends += 1;
        trial.checkEnd();
      }
      const [what] = trial.violations;
      if (what !== undefined) return { states: seen.size, ends, runs, violation: { what, path: listed(path) } };
      if (first === undefined) break;
      for (const action of others) branches.push({ action, before: path });
      path = { action: first, before: path };
      await trial.perform(first);
    }
  }
  return { states: seen.size, ends, runs, violation: null };
};
