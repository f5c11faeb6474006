import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { everyAddress } from "./lookup.ts";
import { addressOf, bare, Refused, type Rules, readTarget } from "./target.ts";

/** What came back: an answer, or why there is none that counts. */
export type Posted = {
  readonly status: number | null;
  /** why it does not count, where it is more than the status says */
  readonly fault: string | null;
  readonly retryAfter: string | null;
  /** the first kilobyte of the answer */
  readonly answer: string | null;
};
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Posted>;
export type PostOptions = Rules & {
  /** for the whole attempt, from the name's lookup to the end of the answer */
  readonly timeoutMs: number;
  /** certificates to trust besides those of the machine */
  readonly ca?: string;
};

/** For one whole attempt. Standard Webhooks says 15 to 30 seconds. */
const TIMEOUT_MS = 20_000;

/** How an engine posts. `network`: what a test puts in the place of the names' lookup, or of the time that an attempt may take. */
export const postOptions = (config: { readonly loopbackWebhooks?: boolean | undefined }, network: Partial<PostOptions>): PostOptions => ({
  lookup: everyAddress,
  allowLoopback: config.loopbackWebhooks ?? false,
  timeoutMs: TIMEOUT_MS,
  ...network,
});

const KEPT_BYTES = 1_024;
const LARGEST_ANSWER = 64 * 1_024;

/**
 * Sends one request to an address that was chosen by somebody else: only to a public address, to the very address that
 * was checked, with no redirect followed and with an end to time and size. Never throws: what went wrong is the result.
 */
export const poster =
  (options: PostOptions): Post =>
  async (text, headers, body) => {
    const over = AbortSignal.timeout(options.timeoutMs);
    const late = new Promise<never>((_, reject) =>
      over.addEventListener("abort", () => reject(new Refused(`no complete answer within ${options.timeoutMs / 1_000} seconds`))),
    );
    late.catch(() => undefined);
    try {
      const url = readTarget(text, options);
      const address = await Promise.race([addressOf(url, options), late]);
      return await Promise.race([send(url, address, headers, body, over, options.ca), late]);
    } catch (error) {
      return { status: null, fault: faultOf(error), retryAfter: null, answer: null };
    }
  };

const send = (
  url: URL,
  address: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<Posted> =>
  new Promise((resolve, reject) => {
    const secure = url.protocol === "https:";
    const hostname = bare(url.hostname);
    const request = (secure ? httpsRequest : httpRequest)(
      {
        // the vetted address itself: nothing is looked up again between the check and the connection
        host: address,
        port: url.port || (secure ? 443 : 80),
        method: "POST",
        path: `${url.pathname}${url.search}`,
        headers: {
          host: url.host,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          "accept-encoding": "identity",
          "user-agent": "Shiplog-Webhooks/1",
          ...headers,
        },
        // of a name the certificate is the name's; an address has no name to send
        ...(secure && { servername: isIP(hostname) === 0 ? hostname : "", ...(ca !== undefined && { ca }) }),
        agent: false,
        signal,
      },
      (answer) => read(answer).then(resolve, reject),
    );
    request.on("error", reject);
    request.end(body);
  });

const read = async (answer: IncomingMessage): Promise<Posted> => {
  const { statusCode = 0, headers } = answer;
  const retryAfter = headers["retry-after"] ?? null;
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (bytes < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - bytes));
    bytes += chunk.length;
    // leaving the loop destroys the connection
    if (bytes > LARGEST_ANSWER) break;
  }
  const fault = bytes > LARGEST_ANSWER ? `its answer is larger than ${LARGEST_ANSWER / 1_024} KB` : null;
  return { status: statusCode, fault, retryAfter, answer: Buffer.concat(kept).toString("utf8") };
};

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "it refuses connections",
  ECONNRESET: "it closed the connection before it answered",
  EPIPE: "it closed the connection before it answered",
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name does not resolve at the moment",
  ENETUNREACH: "its network cannot be reached",
  EHOSTUNREACH: "it cannot be reached",
  ETIMEDOUT: "no connection could be made in time",
  HPE_HEADER_OVERFLOW: "the headers of its answer are too large",
};

/** Never the error's own text: it may hold the URL. */
const faultOf = (error: unknown): string => {
  if (error instanceof Refused) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return WORDS[code] ?? `the request failed (${code || (error instanceof Error ? error.name : "unknown")})`;
};
