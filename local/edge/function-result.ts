import { Readable } from "node:stream";
import { PreludeRefused, readPrelude, STREAMED } from "../../engine/open-next/streamed-answer.ts";
import { type Answer, passes } from "./answer.ts";

type FunctionHead = {
  statusCode: number;
  headers?: Record<string, string | number | boolean>;
  multiValueHeaders?: Record<string, (string | number | boolean)[]> | undefined;
  cookies?: string[];
};
type FunctionResult = FunctionHead & { body?: string; isBase64Encoded?: boolean };

/**
 * Reads the JSON that a function returned as an HTTP answer.
 * Like a Function URL, takes a value without `statusCode` as the body of a 200. Throws when the payload is no JSON.
 */
export function answerOf(payload: Buffer): Answer {
  const value: unknown = JSON.parse(payload.toString("utf8"));
  if (!isResult(value)) {
    const body = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    return { status: 200, headers: [["content-type", "application/json"]], body };
  }
  return { ...headOf(value), body: Buffer.from(value.body ?? "", value.isBase64Encoded ? "base64" : "utf8") };
}

/**
 * Reads what a function streams as an HTTP answer, as soon as its head is there; the body comes as it is made.
 * Like a Function URL, takes what has no prelude as the body of a 200. Throws what broke off before its head was whole.
 */
export async function streamedAnswerOf(contentType: string, body: Readable): Promise<Answer> {
  if (contentType !== STREAMED) return { status: 200, headers: [["content-type", contentType]], body };
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let begun = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) throw new PreludeRefused("the function's stream ended before its prelude did");
    begun = Buffer.concat([begun, value]);
    const found = readPrelude(begun);
    if (found === undefined) continue;
    return { ...headOf(found.prelude), body: rest(begun.subarray(found.bodyAt), chunks, body) };
  }
}

/** What follows the prelude. */
function rest(first: Buffer, chunks: AsyncIterator<Buffer>, source: Readable): Readable {
  const following = async function* () {
    if (first.length > 0) yield first;
    yield* { [Symbol.asyncIterator]: () => chunks };
  };
  const body = Readable.from(following(), { objectMode: false });
  // also while it waits for the next chunk: a function may be silent for long
  body.once("close", () => source.destroy());
  return body;
}

const headOf = (head: FunctionHead): Omit<Answer, "body"> => {
  const headers = Object.entries(head.headers ?? {}).map(([name, one]) => [name.toLowerCase(), String(one)] as const);
  const many = Object.entries(head.multiValueHeaders ?? {}).flatMap(([name, values]) =>
    values.map((one) => [name.toLowerCase(), String(one)] as const),
  );
  const cookies = (head.cookies ?? []).map((cookie) => ["set-cookie", cookie] as const);
  return {
    status: head.statusCode,
    headers: [...withoutRepeats(headers, many), ...many, ...cookies].filter(([name]) => passes(name) && name !== "content-length"),
  };
};

/** `multiValueHeaders` holds the whole truth about the names in it. */
function withoutRepeats(headers: Answer["headers"], many: Answer["headers"]): Answer["headers"] {
  const names = new Set(many.map(([name]) => name));
  return headers.filter(([name]) => !names.has(name));
}

const isResult = (value: unknown): value is FunctionResult =>
  typeof value === "object" && value !== null && "statusCode" in value && Number.isInteger(value.statusCode);
