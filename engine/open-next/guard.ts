import { hash } from "node:crypto";
import { ORIGIN_HEADER } from "../../blueprint/site-resources.ts";

/**
 * What stands before the code of a function that visitors reach. The address of a function is open to the world, and who
 * finds it could say of itself what only the edge may say (`x-forwarded-host`: OpenNext sends its preview key to that host).
 * The edge sends keys of the environment with each request; a function that hears none of those that it knows answers 403.
 *
 * And CloudFront keeps cookies with an answer and gives them to everybody: an answer that sets one is `private, no-store`, unless it
 * says one of the two itself.
 */

/** The variable with the keys that a version takes, between commas. Taken away before the app's code begins. */
export const ORIGIN_KEYS = "SHIPLOG_ORIGIN_KEYS";

const FILE = "shiplog-guard.mjs";
const HANDLER = `${FILE.replace(/\.mjs$/, "")}.handler`;
const REFUSAL = "This address is the edge's alone. Ask for the site by its own name.\n";

/** The guard of a bundle: a file beside the one that it stands before, and the handler that Lambda calls then. */
export const guardOf = (handler: string): { readonly handler: string; readonly path: string; readonly text: string } => {
  const dot = handler.lastIndexOf(".");
  return { handler: HANDLER, path: FILE, text: guard(handler.slice(0, dot), handler.slice(dot + 1)) };
};

/** Whether an answer is the guard's, by its header. */
export const isRefusal = (headers: Readonly<Record<string, unknown>> | undefined): boolean => headers?.[ORIGIN_HEADER] === "refused";

type Guarded = { readonly handler: string; readonly variables: Readonly<Record<string, string>> };

/** The keys that a version takes; `undefined` where it has no guard, and answers everybody. */
export const keysOf = ({ handler, variables }: Guarded): string[] | undefined =>
  handler === HANDLER ? (variables[ORIGIN_KEYS] ?? "").split(",") : undefined;

/** Whether a version answers an edge that sends these keys. */
export const admits = (version: Guarded, keys: readonly string[]): boolean => keysOf(version)?.some((key) => keys.includes(key)) ?? true;

/** Names a key, and gives nothing of it away. */
export const digestOfKey = (key: string): string => hash("sha256", key, "hex").slice(0, 16);

/**
 * Whole answers and streamed ones, as the bundle's own handler says of itself. A stream begins with status, headers and cookies in JSON:
 * OpenNext writes them by itself, whole, as the first thing; `HttpResponseStream.from` of AWS where nobody else sees them written.
 */
const guard = (module: string, name: string): string =>
  `
import { createHash } from "node:crypto";
const digest = (key) => createHash("sha256").update(key).digest("hex");
const known = new Set((process.env.${ORIGIN_KEYS} ?? "").split(",").filter(Boolean).map(digest));
delete process.env.${ORIGIN_KEYS};
const { ${JSON.stringify(name)}: inner } = await import(${JSON.stringify(`./${module}.mjs`)});

const head = { statusCode: 403, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ${JSON.stringify(ORIGIN_HEADER)}: "refused" } };
const text = ${JSON.stringify(REFUSAL)};
const admits = ({ headers } = {}) => {
  const said = headers?.[${JSON.stringify(ORIGIN_HEADER)}];
  if (headers) delete headers[${JSON.stringify(ORIGIN_HEADER)}];
  return typeof said === "string" && said.split(",").some((key) => known.has(digest(key.trim())));
};

const named = (headers, name) => Object.keys(headers ?? {}).filter((one) => one.toLowerCase() === name);
const without = (headers, name) => Object.fromEntries(Object.entries(headers ?? {}).filter(([one]) => one.toLowerCase() !== name));
const own = (answer) => {
  const all = [answer?.headers, answer?.multiValueHeaders];
  if (!(answer?.cookies?.length > 0) && !all.some((headers) => named(headers, "set-cookie").length > 0)) return answer;
  const said = all.flatMap((headers) => named(headers, "cache-control").flatMap((one) => headers[one]));
  if (/(^|[,\\s])(private|no-store)\\s*(,|$)/i.test(said.join(","))) return answer;
  const [headers, many] = all.map((one) => without(one, "cache-control"));
  const kept = { ...answer, headers: { ...headers, "cache-control": "private, no-store" } };
  return answer.multiValueHeaders === undefined ? kept : { ...kept, multiValueHeaders: many };
};
const begun = new WeakSet();
const Stream = globalThis.awslambda?.HttpResponseStream;
const from = Stream?.from.bind(Stream);
if (from) Stream.from = (stream, begins) => {
  begun.add(stream);
  return from(stream, own(begins));
};
const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // it begins with its body
  }
};
const ownBeginning = (first) => {
  const answer = parsed(typeof first === "string" ? first : Buffer.from(first).toString());
  const owned = own(answer);
  return owned === answer ? first : JSON.stringify(owned);
};
const watched = (stream) => {
  const write = stream.write.bind(stream);
  stream.write = (first, ...more) => {
    stream.write = write;
    return write(begun.has(stream) ? first : ownBeginning(first), ...more);
  };
  return stream;
};

const whole = async (event, ...more) => (admits(event) ? own(await inner(event, ...more)) : { ...head, body: text });
const streamed = (event, stream, ...more) => {
  if (admits(event)) return inner(event, watched(stream), ...more);
  const out = awslambda.HttpResponseStream.from(stream, head);
  out.write(text);
  out.end();
};
export const handler =
  inner[Symbol.for("aws.lambda.runtime.handler.streaming")] ? awslambda.streamifyResponse(async (...all) => streamed(...all)) : whole;
`.trimStart();
