import * as z from "zod";
import { functionReference } from "./names.ts";
import { answer, input, type Operations, referenceOf } from "./operation.ts";
import type { Registry } from "./registry.ts";
import { UNZIPPED_LIMIT } from "./unzip.ts";

const ConcurrencyInput = z.object({ ReservedConcurrentExecutions: z.int().min(0) });
const TagsInput = z.object({ Tags: z.record(z.string(), z.string()) });

/** What belongs to the account or is only recorded: limits and use, reserved concurrency, tags. */
export const accountOperations = (registry: Registry): Operations => ({
  GetAccountSettings() {
    const all = registry.all();
    // Every version counts, also when it shares its code with another: so does AWS.
    const sizes = all.flatMap(({ latest, versions }) => [latest, ...Object.values(versions)].map(({ code }) => code.size));
    return answer(200, {
      AccountLimit: {
        TotalCodeSize: 75 * 2 ** 30,
        CodeSizeUnzipped: UNZIPPED_LIMIT,
        CodeSizeZipped: 52_428_800,
        ConcurrentExecutions: 1000,
        UnreservedConcurrentExecutions: 1000,
      },
      AccountUsage: { TotalCodeSize: sizes.reduce((sum, size) => sum + size, 0), FunctionCount: all.length },
    });
  },

  PutFunctionConcurrency(call) {
    const { ReservedConcurrentExecutions } = input(ConcurrencyInput, call);
    registry.put({ ...registry.get(referenceOf(call).name), reservedConcurrency: ReservedConcurrentExecutions });
    return answer(200, { ReservedConcurrentExecutions });
  },

  GetFunctionConcurrency(call) {
    const { reservedConcurrency } = registry.get(referenceOf(call).name);
    return answer(200, reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency });
  },

  DeleteFunctionConcurrency(call) {
    registry.put({ ...registry.get(referenceOf(call).name), reservedConcurrency: undefined });
    return answer(204);
  },

  TagResource(call) {
    const record = registry.get(functionReference(call.path[0] ?? "").name);
    registry.put({ ...record, tags: { ...record.tags, ...input(TagsInput, call).Tags } });
    return answer(204);
  },

  UntagResource(call) {
    const record = registry.get(functionReference(call.path[0] ?? "").name);
    const gone = call.query.getAll("tagKeys");
    registry.put({ ...record, tags: Object.fromEntries(Object.entries(record.tags).filter(([key]) => !gone.includes(key))) });
    return answer(204);
  },

  ListTags: (call) => answer(200, { Tags: registry.get(functionReference(call.path[0] ?? "").name).tags }),
});
