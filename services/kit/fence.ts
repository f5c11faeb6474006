/**
 * What an alias says of itself in its description: which sequence moved it, for which deployment. It is the fence that
 * keeps an older flip from undoing a newer one, so its form is kept for ever.
 */
export type Fence = { readonly sequence: number; readonly deploymentId: string };

export const describe = ({ sequence, deploymentId }: Fence): string => `seq=${sequence} dep=${deploymentId}`;

/** `undefined` where somebody else wrote the description. */
export const readFence = (description: string): Fence | undefined => {
  const [, sequence, deploymentId] = /^seq=(\d{1,15}) dep=(\w+)$/.exec(description) ?? [];
  return sequence === undefined || deploymentId === undefined ? undefined : { sequence: Number(sequence), deploymentId };
};
