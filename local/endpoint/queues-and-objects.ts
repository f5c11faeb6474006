import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { ACCOUNT, AwsError, REGION } from "../http.ts";
import { openFauxqs } from "./fauxqs.ts";
import { applyS3Rules, checkListing, type S3Request } from "./s3-rules.ts";
import { QUERY_ERROR, queryError, type Refused, sqsRules } from "./sqs-rules.ts";
import { errorAnswer, s3ErrorBody } from "./wire.ts";

export type QueueMessage = {
  readonly body: string;
  readonly groupId?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>>;
};

export type QueuesAndObjects = {
  /** Answers a request to SQS or S3; reads its body itself where it is not given. */
  serve(request: IncomingMessage, response: ServerResponse, body: Buffer | undefined, isFunction?: boolean): void;
  /** Puts a message into a queue; it is kept when this returns. Throws `AwsError` where SQS would answer with an error. */
  send(queueArn: string, message: QueueMessage): void;
  /** Every QueueUrl answered from now on begins with `url`, also of queues made under another port. */
  answerQueueUrlsAt(url: string): void;
  /** Answers the long polls that wait, with what is there. */
  stopWaiting(): void;
  close(): Promise<void>;
};

/** The largest object that one PUT may carry; a larger one goes in parts. */
const LARGEST_BODY = 512 * 1024 * 1024;

/** SQS and S3: fauxqs, and the rules of S3 that it lacks. */
export async function openQueuesAndObjects(dataDir: string): Promise<QueuesAndObjects> {
  const { app, sqs, s3, sendMessage, close } = await openFauxqs(dataDir);
  sqs.region = REGION;

  // An object may be of any type: curl calls what it uploads a form.
  app.removeContentTypeParser(["*", "application/x-www-form-urlencoded"]);
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: LARGEST_BODY }, (_request, body, done) => done(null, body));
  const checkSqs = sqsRules((queueUrl, handle) => {
    const holders = [...sqs.allQueues()].filter(({ inflightMessages }) => inflightMessages.has(handle));
    if (holders.length === 0) return "none";
    return holders.some(({ name }) => queueUrl.endsWith(`/${name}`)) ? "it" : "another";
  });
  /** entries of a batch that fauxqs must not see, and its answer must have */
  const refused = new WeakMap<IncomingMessage, readonly Refused[]>();
  const bodies = new WeakMap<IncomingMessage, Buffer>();
  const ofFunctions = new WeakSet<IncomingMessage>();
  app.addHook("preParsing", (request, _reply, payload, done) => {
    const body = bodies.get(request.raw);
    done(null, body === undefined ? payload : Readable.from([body]));
  });
  // One callback and no promise: the handler runs in the same turn, which makes check and write one step.
  app.addHook("preHandler", (request, reply, done) => {
    const { bucket, "*": key = "" } = request.params as { bucket?: string; "*"?: string };
    const { method, headers } = request;
    if (bucket === undefined) {
      try {
        const target = headers["x-amz-target"] as string | undefined;
        const entries = checkSqs(target, request.body, headers["x-amzn-trace-id"] as string | undefined);
        if (entries.length === 0) return done();
        refused.set(request.raw, entries);
        const { Entries = [] } = request.body as { Entries?: object[] };
        if (Entries.length > 0) return done();
        void reply.type("application/x-amz-json-1.0").send({ Successful: [], Failed: [] });
        return;
      } catch (error) {
        return done(error as Error);
      }
    }
    const view: S3Request = { method, bucket, key, query: request.query as S3Request["query"], headers, body: request.body };
    try {
      if (ofFunctions.has(request.raw)) checkListing(view, s3);
      applyS3Rules(view, s3);
    } catch (error) {
      if (!(error instanceof AwsError)) return done(error as Error);
      void reply.code(error.status).type("application/xml").send(s3ErrorBody(error));
      return;
    }
    request.body = view.body;
    done();
  });
  app.addHook("preSerialization", (request, reply, answer, done) => {
    const entries = refused.get(request.raw) ?? [];
    const given = reply.getHeader(QUERY_ERROR);
    if (given !== undefined) reply.header(QUERY_ERROR, queryError(String(given)));
    if (entries.length === 0 || answer === null || typeof answer !== "object" || !("Failed" in answer)) return done(null, answer);
    done(null, { ...answer, Failed: [...(answer.Failed as Refused[]), ...entries] });
  });
  app.setErrorHandler((error, request, reply) => {
    const tooLarge = (error as { code?: string }).code === "FST_ERR_CTP_BODY_TOO_LARGE";
    const known = tooLarge
      ? new AwsError("EntityTooLarge", 400, `A body may have ${LARGEST_BODY} bytes; send a larger object in parts.`)
      : error;
    const { status, headers, body } = errorAnswer(known, request.headers["x-amz-target"] ? "json" : "xml");
    return reply
      .code(status)
      .headers(headers ?? {})
      .send(body);
  });
  await app.ready();

  return {
    serve(request, response, body, isFunction = false) {
      if (isFunction) ofFunctions.add(request);
      if (body !== undefined) bodies.set(request, body);
      // fauxqs takes a queue's region from the signature; here every ARN is of one region.
      if (request.headers["x-amz-target"] !== undefined) delete request.headers.authorization;
      app.routing(request, response);
    },

    send(queueArn, { body, groupId, attributes = {} }) {
      const queue = sqs.getQueueByArn(queueArn);
      if (!queue) throw new AwsError("QueueDoesNotExist", 400, `There is no queue ${queueArn}.`);
      const MessageAttributes = Object.fromEntries(
        Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: "String", StringValue }]),
      );
      try {
        sendMessage({ QueueUrl: queue.url, MessageBody: body, MessageGroupId: groupId, MessageAttributes });
      } catch (error) {
        const { code, statusCode, message } = error as { code?: string; statusCode?: number; message: string };
        throw code && statusCode ? new AwsError(code, statusCode, message) : error;
      }
    },

    answerQueueUrlsAt(url) {
      sqs.buildQueueUrl = (name) => `${url}/${ACCOUNT}/${name}`;
      for (const queue of [...sqs.allQueues()]) {
        sqs.queues.delete(queue.url);
        queue.url = sqs.buildQueueUrl(queue.name);
        sqs.queues.set(queue.url, queue);
      }
    },

    stopWaiting: () => sqs.shutdown(),
    close,
  };
}
