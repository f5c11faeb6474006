import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command, type S3Client } from "@aws-sdk/client-s3";
import yauzl from "yauzl";

/** Values that must not be seen, by what they are. */
export type Secrets = Readonly<Record<string, string>>;
/** Names of the secrets that are in there. */
export type Found = readonly string[];

/** Which of the secrets a text has: as they are, as JSON writes them, URL-encoded, in hex, or in base64 at any place. */
export const foundIn = (text: string, secrets: Secrets): Found =>
  Object.entries(secrets)
    .filter(([, value]) => formsOf(value).some((form) => text.includes(form)))
    .map(([name]) => name);

const formsOf = (value: string): readonly string[] => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value),
  Buffer.from(value).toString("hex"),
  ...[0, 1, 2].flatMap((shift) => [inBase64(value, shift, "base64"), inBase64(value, shift, "base64url")]),
];

/** What a value looks like in the base64 of something longer, in which it begins `shift` bytes after a group of three. */
const inBase64 = (value: string, shift: number, encoding: "base64" | "base64url"): string => {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
  return whole.toString(encoding).slice(Math.ceil((shift * 8) / 6));
};

/** The same for bytes; what is packed (gzip, zip) is unpacked, as deep as it goes. */
export const foundInBytes = async (bytes: Buffer, secrets: Secrets): Promise<Found> => {
  const found = new Set(foundIn(bytes.toString("latin1"), secrets));
  for (const inner of await unpacked(bytes)) for (const name of await foundInBytes(inner, secrets)) found.add(name);
  return [...found];
};

const unpacked = async (bytes: Buffer): Promise<readonly Buffer[]> => {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return [gunzipSync(bytes)];
  return bytes.subarray(0, 4).equals(Buffer.from("PK\x03\x04")) ? unzipped(bytes) : [];
};

/** What a gzip begins with in base64, and what follows. */
const GZIP_IN_BASE64 = /H4sI[A-Za-z0-9+/]+=*/g;

/** Everything that a table holds, as text; what is packed is there once more, unpacked. */
export const textOfTable = async (client: DynamoDBClient, TableName: string): Promise<string> => {
  const items = (await Array.fromAsync(paginateScan({ client }, { TableName }))).flatMap(({ Items = [] }) => Items);
  const text = JSON.stringify(items, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value));
  const inner = [...text.matchAll(GZIP_IN_BASE64)].map(([packed]) => gunzipSync(Buffer.from(packed, "base64")).toString());
  return [text, ...inner].join("\n");
};

const unzipped = async (bytes: Buffer): Promise<Buffer[]> => {
  const zip = await yauzl.fromBufferPromise(bytes);
  const files: Buffer[] = [];
  for await (const entry of zip.eachEntry()) {
    const stream = await zip.openReadStreamPromise(entry);
    files.push(Buffer.from(entry.fileName), Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)));
  }
  return files;
};

export type Place = { readonly file: string; readonly mode: string; readonly holds: Found };

/** Every file below a folder that has one of the secrets, with who may read it. */
export const foundInFolder = async (folder: string, secrets: Secrets): Promise<Place[]> => {
  const places: Place[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const holds = await foundInBytes(await readFile(path), secrets);
    const mode = ((await stat(path)).mode & 0o777).toString(8);
    if (holds.length > 0) places.push({ file: path.slice(folder.length + 1), mode, holds });
  }
  return places.sort((a, b) => (a.file < b.file ? -1 : 1));
};

/** Every object of every bucket, by `bucket/key`. */
export async function* everyObject(s3: S3Client): AsyncGenerator<readonly [name: string, bytes: Buffer]> {
  for (const { Name: Bucket = "" } of (await s3.send(new ListBucketsCommand())).Buckets ?? []) {
    for (const { Key = "" } of (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      yield [`${Bucket}/${Key}`, Buffer.from((await Body?.transformToByteArray()) ?? [])];
    }
  }
}
