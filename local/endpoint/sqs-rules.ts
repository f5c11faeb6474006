import { AwsError } from "../http.ts";

const PURGE_MS = 60_000;
const MAX_DELAY_SECONDS = 900;
/** The chain of invocations that led to a message: an attribute of the system's, which fauxqs keeps among the sender's. */
export const TRACE_HEADER = "AWSTraceHeader";

type Entry = { Id?: string; DelaySeconds?: number; ReceiptHandle?: string; MessageAttributes?: Record<string, object> };
type Body = Entry & { QueueUrl?: string; Entries?: Entry[] };
/** An entry of a batch that was refused, as the batch's answer has it. */
export type Refused = { readonly Id: string; readonly SenderFault: true; readonly Code: string; readonly Message: string };

/** Whether a message that was received and not yet deleted has this handle: in the queue, in another one, or in none. */
export type Holder = (queueUrl: string, handle: string) => "it" | "another" | "none";

/**
 * What SQS does and fauxqs does not: it refuses to empty a queue twice within a minute, delays of more than a quarter of an hour
 * and receipt handles that it never gave out, and keeps where a message comes from.
 */
export const sqsRules = (holder: Holder, now: () => number = Date.now) => {
  const purged = new Map<string, number>();
  const purge = (queueUrl: string): void => {
    const since = now() - (purged.get(queueUrl) ?? Number.NEGATIVE_INFINITY);
    if (since >= 0 && since < PURGE_MS)
      throw sqsError("PurgeQueueInProgress", 403, `Only one PurgeQueue operation on ${queueUrl} is allowed every 60 seconds.`);
    purged.set(queueUrl, now());
  };

  /**
   * @param target the request's `x-amz-target`
   * @returns the entries of a batch that are refused: they were taken out of its body
   * @throws AwsError where SQS would answer with an error
   */
  return (target: string | undefined, given: unknown, trace?: string): readonly Refused[] => {
    const body = given as Body;
    const operation = target?.replace("AmazonSQS.", "");
    const { QueueUrl, Entries = [] } = body ?? {};
    if (QueueUrl === undefined) return [];
    switch (operation) {
      case "SendMessage":
        traced(body, trace);
        throwIfRefused(delayProblem(body));
        return [];
      case "SendMessageBatch":
        for (const entry of Entries) traced(entry, trace);
        return takeOut(body, delayProblem);
      case "DeleteMessage":
      case "ChangeMessageVisibility":
        throwIfRefused(handleProblem(body, QueueUrl, holder));
        return [];
      case "DeleteMessageBatch":
        return takeOut(body, (entry) => handleProblem(entry, QueueUrl, holder));
      case "PurgeQueue":
        purge(QueueUrl);
        return [];
      default:
        return [];
    }
  };
};

const traced = (message: Entry, trace: string | undefined): void => {
  if (trace === undefined) return;
  message.MessageAttributes = { ...message.MessageAttributes, [TRACE_HEADER]: { DataType: "String", StringValue: trace } };
};

type Problem = { readonly code: string; readonly message: string };

const delayProblem = ({ DelaySeconds = 0 }: Entry): Problem | undefined => {
  if (DelaySeconds >= 0 && DelaySeconds <= MAX_DELAY_SECONDS) return undefined;
  const reason = `DelaySeconds must be >= 0 and <= ${MAX_DELAY_SECONDS}.`;
  return { code: "InvalidParameterValue", message: `Value ${DelaySeconds} for parameter DelaySeconds is invalid. Reason: ${reason}` };
};

/** A handle of a message that was deleted long since is no mistake: it cannot be told from one that was never given out, but by its shape. */
const HANDLE = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const handleProblem = ({ ReceiptHandle }: Entry, queueUrl: string, holder: Holder): Problem | undefined => {
  if (!ReceiptHandle || (HANDLE.test(ReceiptHandle) && holder(queueUrl, ReceiptHandle) !== "another")) return undefined;
  return { code: "ReceiptHandleIsInvalid", message: `The input receipt handle "${ReceiptHandle}" is not a valid receipt handle.` };
};

const throwIfRefused = (problem: Problem | undefined): void => {
  if (problem !== undefined) throw sqsError(problem.code, 400, problem.message);
};

const takeOut = (body: Body, problemOf: (entry: Entry) => Problem | undefined): Refused[] => {
  const refused: Refused[] = [];
  body.Entries = (body.Entries ?? []).filter((entry) => {
    const problem = problemOf(entry);
    if (problem !== undefined) refused.push({ Id: entry.Id ?? "", SenderFault: true, Code: problem.code, Message: problem.message });
    return problem === undefined;
  });
  return refused;
};

/** Codes that were the same before SQS spoke JSON; the others have a longer one, which SDKs made of older models go by. */
const SAME_CODES = new Set(["InvalidMessageContents", "InvalidParameterValue", "MissingParameter", "OverLimit", "ReceiptHandleIsInvalid"]);
export const QUERY_ERROR = "x-amzn-query-error";
const LONG = "AWS.SimpleQueueService.";

/** The header of an error with its code of before, from the one that fauxqs gives. */
export const queryError = (given: string): string => {
  const [code = "", fault = "Sender"] = given.replace(LONG, "").split(";");
  return `${SAME_CODES.has(code) ? "" : LONG}${code};${fault}`;
};

const sqsError = (code: string, status: number, message: string): AwsError =>
  new AwsError(code, status, message, { [QUERY_ERROR]: queryError(code) });
