import type * as z from "zod";

/** One route of the API. Whatever tells of the API to programs is made of these rows. */
export type Operation = {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** as the router has it: `/v1/deployments/:id` */
  readonly path: string;
  /** `operationId`: what generated clients call it */
  readonly id: string;
  /** one sentence, without its full stop */
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  /** of success; default 200 */
  readonly status?: 201 | 202;
  /** of the answer; default application/json */
  readonly type?: "text/event-stream";
  /** statuses of refusals besides the usual ones */
  readonly alsoFails?: readonly number[];
  /** it needs no token */
  readonly open?: true;
  /** a command to the rules: takes an Idempotency-Key, and may be refused by them (409) */
  readonly command?: true;
  /** 409 may come of something else than the rules */
  readonly conflict?: true;
};
