import { type Answer, passes } from "./answer.ts";

type FunctionResult = {
  statusCode: number;
  headers?: Record<string, string | number | boolean>;
  multiValueHeaders?: Record<string, (string | number | boolean)[]>;
  cookies?: string[];
  body?: string;
  isBase64Encoded?: boolean;
};

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
  const headers = Object.entries(value.headers ?? {}).map(([name, one]) => [name.toLowerCase(), String(one)] as const);
  const many = Object.entries(value.multiValueHeaders ?? {}).flatMap(([name, values]) =>
    values.map((one) => [name.toLowerCase(), String(one)] as const),
  );
  const cookies = (value.cookies ?? []).map((cookie) => ["set-cookie", cookie] as const);
  return {
    status: value.statusCode,
    headers: [...withoutRepeats(headers, many), ...many, ...cookies].filter(([name]) => passes(name) && name !== "content-length"),
    body: Buffer.from(value.body ?? "", value.isBase64Encoded ? "base64" : "utf8"),
  };
}

/** `multiValueHeaders` holds the whole truth about the names in it. */
function withoutRepeats(headers: Answer["headers"], many: Answer["headers"]): Answer["headers"] {
  const names = new Set(many.map(([name]) => name));
  return headers.filter(([name]) => !names.has(name));
}

const isResult = (value: unknown): value is FunctionResult =>
  typeof value === "object" && value !== null && "statusCode" in value && Number.isInteger(value.statusCode);
