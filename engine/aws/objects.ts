import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Clock } from "../kit/clock.ts";
import { each } from "../kit/each.ts";
import { problemOf, unlessMissing } from "./errors.ts";
import { objectLists } from "./object-lists.ts";

/** How an object is served. */
export type Serving = { readonly contentType: string; readonly cacheControl: string };

export type Objects = ReturnType<typeof s3Objects>;

const TRIES = 5;
const DELETE_BATCH = 1_000;
/** From this size on a file is streamed. */
const STREAM_FROM = 1024 ** 2;
/** Keys that are looked for one after another, and how many such ranges at a time. */
const RANGE = 250;
const RANGES = 8;

/** Objects in S3. Keys are whole keys; `sha256` is hex and is kept in the object's metadata, to know it again without reading it. */
export const s3Objects = (client: S3Client, clock: Clock) => {
  /** The sha256 that the object was put with; `null` where it has none, `undefined` where there is no such object. */
  const fingerprint = async (bucket: string, key: string): Promise<string | null | undefined> => {
    const found = await unlessMissing(client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
    return found && (found.Metadata?.sha256 ?? null);
  };

  /** Puts a file where there is none yet: `false` where the key was taken already. */
  const putNew = (bucket: string, key: string, file: string | Buffer, sha256: string, serving?: Serving): Promise<boolean> =>
    unlessTaken(clock, () => put(bucket, key, file, sha256, serving, "*"));

  const put = async (
    bucket: string,
    key: string,
    file: string | Buffer,
    sha256: string,
    serving?: Serving,
    ifNoneMatch?: "*",
  ): Promise<void> => {
    const { size } = typeof file === "string" ? await stat(file) : { size: file.length };
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        // a stream is sent in signed chunks, which costs more than the bytes of most files
        Body: typeof file !== "string" ? file : size < STREAM_FROM ? await readFile(file) : createReadStream(file),
        ContentLength: size,
        Metadata: { sha256 },
        ...(serving && { ContentType: serving.contentType, CacheControl: serving.cacheControl }),
        ...(ifNoneMatch && { IfNoneMatch: ifNoneMatch }),
      }),
    );
  };

  const putText = async (bucket: string, key: string, text: string, contentType = "application/json"): Promise<void> => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: contentType }));
  };

  /** The object's text; `undefined` where there is none. */
  const getText = async (bucket: string, key: string): Promise<string | undefined> => {
    const found = await unlessMissing(client.send(new GetObjectCommand({ Bucket: bucket, Key: key })));
    return found?.Body?.transformToString();
  };

  /** The object's bytes; `undefined` where there is none. */
  const open = async (bucket: string, key: string): Promise<Readable | undefined> => {
    const found = await unlessMissing(client.send(new GetObjectCommand({ Bucket: bucket, Key: key })));
    return found?.Body as Readable | undefined;
  };

  /** Writes the object into a file. Answers the SHA-256 (hex) of what was written; `undefined` where there is no object. */
  const download = async (bucket: string, key: string, file: string): Promise<string | undefined> => {
    const body = await open(bucket, key);
    if (body === undefined) return undefined;
    const digest = createHash("sha256");
    body.on("data", (chunk: Buffer) => void digest.update(chunk));
    await pipeline(body, createWriteStream(file));
    return digest.digest("hex");
  };

  /** Puts a text where there is none yet: `false` where the key was taken already. */
  const putNewText = (bucket: string, key: string, text: string): Promise<boolean> =>
    unlessTaken(clock, () =>
      client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: text, ContentType: "application/json", IfNoneMatch: "*" })),
    );

  /** An address that reads one object for fifteen minutes. */
  const readAddress = (bucket: string, key: string): Promise<string> =>
    getSignedUrl(client, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 900 });

  return {
    fingerprint,
    putNew,
    putNewText,
    put,
    putText,
    getText,
    open,
    download,
    copy: (bucket: string, from: string, to: string, sha256: string, serving: Serving): Promise<boolean> =>
      copyObject(client, bucket, from, to, sha256, serving),
    remove: (bucket: string, keys: readonly string[]): Promise<void> => removeObjects(client, bucket, keys),
    ...objectLists(client),
    present: (bucket: string, keys: readonly string[]): Promise<ReadonlySet<string>> => presentKeys(client, bucket, keys),
    readAddress,
  };
};

/**
 * Which of these keys there are. A page of the listing answers for all that lie within it, so keys that are close together
 * cost a few pages; none costs more than a page and a question of its own, however many other objects there are.
 */
const presentKeys = async (client: S3Client, bucket: string, keys: readonly string[]): Promise<ReadonlySet<string>> => {
  const sorted = [...new Set(keys)].sort(byBytes);
  const ranges = Array.from({ length: Math.ceil(sorted.length / RANGE) }, (_, n) => sorted.slice(n * RANGE, (n + 1) * RANGE));
  const found = new Set<string>();
  await each(ranges, RANGES, async (range) => {
    for (let rest = range; rest.length > 0; ) {
      const [first = "", ...others] = rest;
      const [own, { Contents = [], IsTruncated }] = await Promise.all([
        unlessMissing(client.send(new HeadObjectCommand({ Bucket: bucket, Key: first }))),
        client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: sharedStart(rest), StartAfter: first })),
      ]);
      if (own !== undefined) found.add(first);
      const page = Contents.flatMap(({ Key }) => Key ?? []);
      const end = page.at(-1);
      const listed = new Set(page);
      for (const key of others) if (listed.has(key)) found.add(key);
      rest = IsTruncated && end !== undefined ? others.filter((key) => byBytes(key, end) > 0) : [];
    }
  });
  return found;
};

/** S3's own order. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What sorted keys begin with in common. */
const sharedStart = (keys: readonly string[]): string => {
  const [first = "", last = ""] = [keys[0], keys.at(-1)];
  let length = 0;
  while (length < first.length && first[length] === last[length]) length += 1;
  // half of a character outside of the basic plane is none
  return first.slice(0, length).replace(/[\uD800-\uDBFF]$/, "");
};

/** Whether a conditional put was done; `false` where the key was taken already. A race (409) is run again. */
const unlessTaken = async (clock: Clock, write: () => Promise<unknown>): Promise<boolean> => {
  for (let tries = 1; ; tries++) {
    try {
      await write();
      return true;
    } catch (error) {
      const problem = problemOf(error);
      if (problem === "changed") return false;
      if (problem !== "busy" || tries === TRIES) throw error;
      await clock.sleep(50 * 2 ** tries * (1 + clock.random()));
    }
  }
};

/** Copies within a bucket, served as said, over whatever is there. Answers `false` where there is nothing to copy. */
const copyObject = async (
  client: S3Client,
  bucket: string,
  from: string,
  to: string,
  sha256: string,
  serving: Serving,
): Promise<boolean> => {
  const copied = await unlessMissing(
    client.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: to,
        CopySource: `${bucket}/${from.split("/").map(encodeURIComponent).join("/")}`,
        MetadataDirective: "REPLACE",
        Metadata: { sha256 },
        ContentType: serving.contentType,
        CacheControl: serving.cacheControl,
        // to copy the tags that somebody or something gave the source takes rights of their own
        TaggingDirective: "REPLACE",
      }),
    ),
  );
  return copied !== undefined;
};

/** Removes objects; throws naming the first that stayed. */
const removeObjects = async (client: S3Client, bucket: string, keys: readonly string[]): Promise<void> => {
  for (let from = 0; from < keys.length; from += DELETE_BATCH) {
    const Objects = keys.slice(from, from + DELETE_BATCH).map((Key) => ({ Key }));
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    const [first] = Errors;
    if (first !== undefined)
      throw new Error(`${Errors.length} objects of ${bucket} could not be removed; the first is ${first.Key}: ${first.Message}`);
  }
};
