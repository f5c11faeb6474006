import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { sendFlow } from "../flow.ts";
import { AwsError, type AwsRequest, type AwsResponse, type AwsService } from "../http.ts";
import { asAwsError } from "./fault.ts";

/** How a service writes its answers and errors. */
export type Protocol = "json" | "xml";

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/** Node's request as the services see it: header names lower-case, repeated headers joined with a comma. */
export function toAwsRequest(request: IncomingMessage, body: Buffer): AwsRequest {
  const [path = "/", query = ""] = splitOnce(request.url ?? "/", "?");
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return { method: request.method ?? "GET", path, query: new URLSearchParams(query), headers, body };
}

export function writeAnswer(response: ServerResponse, answer: AwsResponse): void {
  if (response.headersSent || response.destroyed) return;
  const requestId = response.hasHeader("x-amzn-requestid") ? {} : { "x-amzn-requestid": crypto.randomUUID() };
  const headers = { ...requestId, ...answer.headers };
  if (answer.body instanceof Readable) {
    response.writeHead(answer.status, headers);
    // what broke off has cut the connection; its function's log says why
    return void sendFlow(answer.body, response);
  }
  const body = answer.body === undefined ? Buffer.alloc(0) : Buffer.from(answer.body as string);
  response.writeHead(answer.status, { ...headers, "content-length": body.length });
  response.end(body);
}

/** An error as AWS writes it. */
export function errorAnswer(error: unknown, protocol: Protocol): AwsResponse {
  const known = asAwsError(error);
  return protocol === "xml" ? xmlError(known) : jsonError(known);
}

const jsonError = ({ code, status, message, headers }: AwsError): AwsResponse => ({
  status,
  headers: { "content-type": "application/x-amz-json-1.1", "x-amzn-errortype": code, ...headers },
  body: JSON.stringify({ __type: code, message }),
});

/** `<Error>` at the root is what S3 reads; CloudFront and STS look for it inside `<ErrorResponse>`: both are there. */
const xmlError = ({ code, status, message, headers }: AwsError): AwsResponse => {
  const error = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`;
  return {
    status,
    headers: { "content-type": "application/xml", ...headers },
    body: `<?xml version="1.0" encoding="UTF-8"?><ErrorResponse><Error>${error}</Error>${error}</ErrorResponse>`,
  };
};

/** S3's error document: `<Error>` is the root. */
export const s3ErrorBody = ({ code, message }: AwsError): string =>
  `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message></Error>`;

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" })[char] ?? char);

export const unescapeXml = (text: string): string =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, decimal: string) => String.fromCodePoint(Number(decimal)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" })[name] ?? "");

/**
 * A service of the JSON protocols (`x-amz-target: <Prefix>.<Operation>`), made of one function per operation.
 * A function gets the parsed input and returns what is written as JSON; `undefined` is written as `{}`.
 */
export function jsonService<Operations extends object>(name: string, operations: Operations): AwsService {
  const known = operations as Record<string, ((input: never) => unknown) | undefined>;
  return async (request) => {
    const operation = (request.headers["x-amz-target"] ?? "").split(".").at(-1) ?? "";
    const run = Object.hasOwn(known, operation) ? known[operation] : undefined;
    if (!run) {
      const list = Object.keys(operations).sort().join(", ");
      throw new AwsError("UnknownOperationException", 400, `The local endpoint has no ${name}.${operation || "?"}; it has ${list}.`);
    }
    const output = await run(parseInput(request.body) as never);
    return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(output ?? {}) };
  };
}

export function parseInput(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
  } catch {
    throw new AwsError("SerializationException", 400, "The request's body is not JSON.");
  }
}

const splitOnce = (text: string, separator: string): string[] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};
