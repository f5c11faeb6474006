import type { IncomingMessage } from "node:http";
import { PassThrough, Readable } from "node:stream";
import { type Flow, type Outcome, type Reply, unhandled } from "./task.ts";

/** Bytes of a buffered result. */
export const RESULT_LIMIT = 6_291_556;

/** Bytes that a function may stream. */
const STREAM_LIMIT = 200 * 1024 * 1024;

/** A response broke off after it had begun; `outcome` is what its invocation came to. */
export class BrokenOff extends Error {
  override readonly name = "BrokenOff";
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome.payload.toString("utf8").slice(0, 2_000));
    this.outcome = outcome;
  }
}

/**
 * What a function writes to the Runtime API, as it comes and no faster than it is read.
 * A reader that has enough destroys it: what still comes is dropped, and the function notices nothing.
 * A connection that breaks is the end of the function's process, whose owner knows why: it destroys the flow.
 */
export const flowOf = (request: IncomingMessage): PassThrough => {
  const flow = new PassThrough();
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > STREAM_LIMIT) flow.destroy(new BrokenOff(tooLarge(bytes, STREAM_LIMIT)));
  });
  request.pipe(flow, { end: false });
  request.once("end", () => {
    const failure = request.trailers["lambda-runtime-function-error-body"];
    if (failure === undefined) flow.end();
    else flow.destroy(new BrokenOff({ payload: Buffer.from(failure, "base64"), functionError: "Unhandled" }));
  });
  flow.once("close", () => {
    request.unpipe(flow);
    request.resume();
  });
  flow.on("error", () => {}); // it may break off when nobody reads it any more
  return flow;
};

/** All of a reply, for a caller that takes whole results: within the limit of those. */
export const wholeOf = async (reply: Reply): Promise<Outcome> => {
  if ("outcome" in reply) return reply.outcome;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of reply.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > RESULT_LIMIT) return tooLarge(bytes, RESULT_LIMIT);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BrokenOff) return error.outcome;
    throw error;
  }
  return { payload: Buffer.concat(chunks) };
};

/**
 * A reply as a function URL of this mode hands it on. In either mode a flow is read by its content type; a buffered URL waits
 * for all of it. What a handler returns is a result for a buffered URL alone: one that streams gives it out as the text it is.
 */
export const inMode = async (mode: "BUFFERED" | "RESPONSE_STREAM", reply: Reply): Promise<Outcome | Flow> => {
  const flows = !("outcome" in reply);
  if (mode === "RESPONSE_STREAM" && flows) return { contentType: reply.contentType, body: reply.body };
  const outcome = await wholeOf(reply);
  if (outcome.functionError !== undefined || (mode === "BUFFERED" && !flows)) return outcome;
  return { contentType: flows ? reply.contentType : "application/json", body: Readable.from([outcome.payload]) };
};

export const tooLarge = (size: number, limit: number): Outcome =>
  unhandled(
    "Function.ResponseSizeTooLarge",
    `Response payload size (${size} bytes) exceeded maximum allowed payload size (${limit} bytes).`,
  );
