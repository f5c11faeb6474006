import type { Concurrency } from "./concurrency.ts";
import { answer, type Operations } from "./operation.ts";
import type { Registry } from "./registry.ts";
import { UNZIPPED_LIMIT } from "./unzip.ts";

/** The limits of the account, and what is used of them. */
export const accountOperations = (registry: Registry, { max, unreserved }: Pick<Concurrency, "max" | "unreserved">): Operations => ({
  GetAccountSettings() {
    const all = registry.all();
    // Every version counts, also when it shares its code with another: so does AWS.
    const sizes = all.flatMap(({ latest, versions }) => [latest, ...Object.values(versions)].map(({ code }) => code.size));
    return answer(200, {
      AccountLimit: {
        TotalCodeSize: 75 * 2 ** 30,
        CodeSizeUnzipped: UNZIPPED_LIMIT,
        CodeSizeZipped: 52_428_800,
        ConcurrentExecutions: max,
        UnreservedConcurrentExecutions: unreserved,
      },
      AccountUsage: { TotalCodeSize: sizes.reduce((sum, size) => sum + size, 0), FunctionCount: all.length },
    });
  },
});
