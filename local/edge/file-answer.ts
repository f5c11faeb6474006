import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { type Answer, passes } from "./answer.ts";

/** An object of the assets: what the store answered to a request for it. */
export type Found = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Buffer };

/** What a client says of the copy that it has, and of what it takes. */
type Asked = {
  readonly "if-none-match"?: string | undefined;
  readonly "if-modified-since"?: string | undefined;
  readonly "accept-encoding"?: string | string[] | undefined;
};

/** CloudFront compresses what is neither smaller nor larger, in bytes. */
const COMPRESSED_MIN = 1_000;
const COMPRESSED_MAX = 10_000_000;

/** The types that CloudFront compresses, of those that an app has. */
const COMPRESSIBLE =
  /^(text\/|image\/(svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(ttf|otf|eot|opentype)|application\/(javascript|json|xml|wasm|manifest\+json|ld\+json|vnd\.ms-fontobject|x-javascript|x-font-ttf|x-font-opentype|[\w.-]+\+(json|xml))\b)/i;

/**
 * Makes the answer for a file as CloudFront does in front of S3: whoever has it gets a 304 that keeps what says how long
 * it is good for, a range that cannot be had a 416 with the size, and text comes compressed to who takes it.
 */
export const fileAnswer = async (found: Found, asked: Asked): Promise<Answer> => {
  const headers = Object.entries({ "accept-ranges": "bytes", ...lowerCase(found.headers) }).filter(
    ([name]) => passes(name) && name !== "content-length" && !name.startsWith("x-amz-"),
  );
  const named = Object.fromEntries(headers);
  if (found.status === 304 || (found.status === 200 && isUnchanged(named, asked)))
    return { status: 304, headers: headers.filter(([name]) => !/^content-|^accept-ranges$/.test(name)), body: Buffer.alloc(0) };
  const encoding = found.status === 200 && isCompressible(named, found.body) ? encodingOf(asked["accept-encoding"]) : undefined;
  const vary = isCompressible(named, found.body) ? ([["vary", "Accept-Encoding"]] as const) : [];
  if (encoding === undefined) return { status: found.status, headers: [...headers, ...vary], body: found.body };
  return {
    status: 200,
    // the bytes are others than those of the file, so its tag says no more than that they mean the same
    headers: [
      ...headers.map(([name, value]) => [name, name === "etag" ? weak(value) : value] as const),
      ...vary,
      ["content-encoding", encoding],
    ],
    body: await COMPRESS[encoding](found.body),
  };
};

const COMPRESS = {
  br: (body: Buffer) => promisify(brotliCompress)(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: promisify<Buffer, Buffer>(gzip),
};

/** A tag decides alone where there is one: a date has whole seconds only. */
export const isUnchanged = (
  headers: Readonly<Record<string, string>>,
  { "if-none-match": tags, "if-modified-since": since }: Asked,
): boolean => {
  const { etag, "last-modified": modified } = headers;
  if (tags !== undefined) return etag !== undefined && tags.split(",").some((tag) => tag.trim() === "*" || bare(tag.trim()) === bare(etag));
  return since !== undefined && modified !== undefined && Date.parse(modified) <= Date.parse(since);
};

const isCompressible = (headers: Readonly<Record<string, string>>, { length }: Buffer): boolean =>
  headers["content-encoding"] === undefined &&
  length >= COMPRESSED_MIN &&
  length <= COMPRESSED_MAX &&
  COMPRESSIBLE.test(headers["content-type"] ?? "");

/** Brotli before gzip, as CloudFront; what is refused with `q=0` is not taken. */
const encodingOf = (accepted: string | string[] = ""): "br" | "gzip" | undefined => {
  const taken = new Map(
    String(accepted)
      .split(",")
      .map((part) => {
        const [name = "", ...more] = part
          .trim()
          .toLowerCase()
          .split(/\s*;\s*/);
        return [name, !more.some((one) => /^q=0(\.0*)?$/.test(one))] as const;
      }),
  );
  return (["br", "gzip"] as const).find((name) => taken.get(name) ?? taken.get("*"));
};

const bare = (tag: string): string => tag.replace(/^W\//, "");
const weak = (tag: string): string => `W/${bare(tag)}`;
const lowerCase = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
