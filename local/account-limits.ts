/** What this AWS lets its account do, as the quotas of an account say. */
export type AccountLimits = {
  /** that CodeBuild lets the account start: one more is refused. Without it, as many run as suit this machine, and more wait */
  readonly builds?: number;
  /** of all functions of the account together: one more is throttled */
  readonly concurrentInvocations: number;
  /** calls a second of Lambda's control plane; without it, as many as come */
  readonly lambdaCalls?: LambdaCalls;
};

/** GetFunction has a limit of its own; every other call but an invocation shares one. */
export type LambdaCalls = { readonly getFunction: number; readonly rest: number };

/** What AWS gives to every account whose quotas it has not lowered, without limits that only cost time here. */
export const USUAL_ACCOUNT: AccountLimits = { concurrentInvocations: 1_000 };

/** What AWS says of such an account's builds; here as many run as suit this machine. */
export const USUAL_BUILDS = 60;

/**
 * What AWS gives to an account of today: it raises the first two by use or on request. CodeBuild's is 1 for each compute type
 * ("for a new account, the quota can be as low as 1"), and 0 where AWS has not looked at the account yet; the calls of
 * Lambda's control plane are the same for every account.
 */
export const newAccount = (builds = 1): AccountLimits => ({
  builds,
  concurrentInvocations: 10,
  lambdaCalls: { getFunction: 100, rest: 15 },
});

/** The account that somebody asks for by name: `new`, or `new,builds=0`. `undefined` where there is none of that name. */
export const accountNamed = (name: string): AccountLimits | undefined => {
  const found = /^new(?:,builds=([01]))?$/.exec(name);
  return found ? newAccount(Number(found[1] ?? 1)) : undefined;
};
