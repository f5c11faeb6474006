/**
 * What an alias says of itself in its description: which sequence moved it, for which deployment. It is the fence that
 * keeps an older flip from undoing a newer one, so its form is kept for ever.
 */
export type Fence = { readonly sequence: number; readonly deploymentId: string };

/** Of an alias that no flip has moved yet. */
export const UNMOVED: Fence = { sequence: 0, deploymentId: "none" };

export const describe = ({ sequence, deploymentId }: Fence): string => `seq=${sequence} dep=${deploymentId}`;

/** `undefined` where somebody else wrote the description. */
export const readFence = (description: string): Fence | undefined => {
  const [, sequence, deploymentId] = /^seq=(\d{1,15}) dep=(\w+)$/.exec(description) ?? [];
  return sequence === undefined || deploymentId === undefined ? undefined : { sequence: Number(sequence), deploymentId };
};

/** An alias as it was read. `weights`: the part (0–1) of its requests that goes to another version instead. */
export type FoundAlias = {
  readonly version: string;
  readonly description: string;
  readonly weights?: Readonly<Record<string, number>> | undefined;
};

/** Whether a part of the requests goes to another version. No flip does that: somebody set it by hand. */
export const isWeighted = ({ weights = {} }: FoundAlias): boolean => Object.keys(weights).length > 0;

/** Where an alias stands, seen from one flip. */
export type AliasJudgement =
  /** an older flip moved it last, or none */
  | { readonly is: "older"; readonly fence: Fence; readonly weighted: boolean }
  /** it is where this flip puts it */
  | { readonly is: "ours"; readonly fence: Fence; readonly weighted: boolean }
  /** a newer flip moved it */
  | { readonly is: "newer"; readonly fence: Fence; readonly weighted: boolean }
  /** it says what no flip wrote there */
  | { readonly is: "drift" };

/**
 * Judges an alias that was read. A sequence above the highest that a flip was ever asked for with is a hand's: it is
 * never "newer".
 *
 * @param flip the flip from which it is seen, with the version that it moves the alias to
 * @param highest the highest sequence that a flip was asked for with; learnt after the alias was read
 */
export const judgeAlias = (found: FoundAlias | undefined, flip: Fence & { readonly version: string }, highest: number): AliasJudgement => {
  const fence = found && readFence(found.description);
  if (found === undefined || fence === undefined || fence.sequence > Math.max(highest, flip.sequence)) return { is: "drift" };
  const weighted = isWeighted(found);
  if (fence.sequence > flip.sequence) return { is: "newer", fence, weighted };
  if (fence.sequence < flip.sequence) return { is: "older", fence, weighted };
  return found.version === flip.version && fence.deploymentId === flip.deploymentId ? { is: "ours", fence, weighted } : { is: "drift" };
};

/** Whether an alias is exactly where the log has put it; `undefined` where the log never did. */
export const isAsRecorded = (recorded: (Fence & { readonly version: string }) | undefined, found: FoundAlias | undefined): boolean => {
  const expected = recorded ?? { ...UNMOVED, version: found?.version ?? "" };
  const judged = judgeAlias(found, expected, expected.sequence);
  return judged.is === "ours" && !judged.weighted;
};

/** What is wrong with an alias, for a person; `expected`: where the log has put it, `null` where it never did. */
export const sayDrift = (expected: { readonly version: string; readonly sequence: number } | null, found: FoundAlias | null): string => {
  if (found === null) return "it has no alias any more";
  const differences: string[] = [];
  if (expected !== null && found.version !== expected.version)
    differences.push(`it is at version ${found.version}, and the log has put it at version ${expected.version}`);
  for (const [version, part] of Object.entries(found.weights ?? {}))
    differences.push(`${percent(part)} of its requests go to version ${version}`);
  const fence = readFence(found.description);
  if (fence === undefined) differences.push(`its description "${found.description}" is not Shiplog's`);
  else if (fence.sequence !== (expected?.sequence ?? UNMOVED.sequence))
    differences.push(`its description says sequence ${fence.sequence}, and the log has ${expected?.sequence ?? "none"}`);
  return differences.length > 0 ? differences.join("; ") : `its description "${found.description}" names another deployment`;
};

/** The version of an alias, and where a part of its requests goes instead: `7`, `7 (10 % to 6)`. */
export const sayVersions = ({ version, weights = {} }: FoundAlias): string => {
  const others = Object.entries(weights).map(([other, part]) => `${percent(part)} to ${other}`);
  return others.length === 0 ? version : `${version} (${others.join(", ")})`;
};

const percent = (part: number): string => `${Math.round(part * 1_000) / 10} %`;
