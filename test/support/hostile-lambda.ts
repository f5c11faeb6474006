import type { LocalAws } from "../../local/aws.ts";
import { AwsError, type AwsRequest } from "../../local/http.ts";
import { routeOf } from "../../local/lambda/routes.ts";

type Refusal = {
  operation: string;
  status: number;
  code: string;
  times: number;
  /** the call is carried out all the same: only its answer is this one */
  yetDone?: boolean;
};

/** A Lambda control plane that has bad moments, and tells of the calls that it carried out. */
export const hostileLambda = ({ endpoint, lambda }: LocalAws) => {
  let refusals: Refusal[] = [];
  let told: ((operation: string, functionName: string) => Promise<void>) | undefined;
  let held: { operation: string; reached(): void; gate: Promise<void> } | undefined;
  endpoint.mount("lambda", async (request: AwsRequest) => {
    const route = routeOf(request.method, request.path);
    const operation = route?.operation ?? "";
    if (held?.operation === operation) {
      held.reached();
      await held.gate;
    }
    const refusal = refusals.find((one) => one.operation === operation && one.times > 0);
    if (refusal !== undefined) refusal.times -= 1;
    if (refusal === undefined || refusal.yetDone === true) {
      const answer = await lambda.handle(request);
      if (answer.status < 300) await told?.(operation, route?.path[0] ?? "");
      if (refusal === undefined) return answer;
    }
    throw new AwsError(refusal.code, refusal.status, "planted by a test");
  });
  return {
    refuse: (...planned: Refusal[]): void => {
      refusals = planned;
    },
    /** how many of the planned refusals nobody ran into yet */
    left: (): number => refusals.reduce((sum, { times }) => sum + times, 0),
    /** Called after every call that was carried out, before its answer is given. */
    afterEach: (tell: typeof told): void => {
      told = tell;
    },
    /** Keeps every call of this operation waiting until `go` is called; `reached` resolves when the first has come. */
    hold: (operation: string): { reached: Promise<void>; go(): void } => {
      const reached = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      held = { operation, reached: reached.resolve, gate: gate.promise };
      return { reached: reached.promise, go: gate.resolve };
    },
    mend: (): void => {
      refusals = [];
      told = undefined;
      endpoint.mount("lambda", lambda.handle);
    },
  };
};
