import { awsError } from "../world/call.ts";
import type { World } from "../world/world.ts";

type Stored = { readonly text: string; readonly metadata: Readonly<Record<string, string>> };
type Listed = { Bucket: string; Prefix: string; StartAfter?: string; Delimiter?: string };
export type Objects = ReturnType<typeof objectsOf>;

/** S3: conditional puts, races and slow-downs. @param removed told of each object that is about to be deleted */
export const objectsOf = (world: World, removed: (bucket: string, key: string) => void) => {
  const { faults } = world;
  const objects = new Map<string, Stored>();
  const id = (bucket: string, key: string): string => `${bucket}/${key}`;
  const keysBelow = (bucket: string, prefix: string): string[] =>
    [...objects.keys()].flatMap((key) => (key.startsWith(id(bucket, prefix)) ? [key.slice(bucket.length + 1)] : []));
  const missing = () => awsError("NoSuchKey", 404);
  const moody = (): void => {
    if (faults.strikes("s3-slow-down")) throw awsError("SlowDown", 503);
  };

  const api = {
    HeadObject: ({ Bucket, Key }: { Bucket: string; Key: string }) => {
      moody();
      const found = objects.get(id(Bucket, Key));
      if (found === undefined) throw awsError("NotFound", 404);
      return { Metadata: found.metadata, ContentLength: found.text.length };
    },
    GetObject: ({ Bucket, Key }: { Bucket: string; Key: string }) => {
      moody();
      const found = objects.get(id(Bucket, Key));
      if (found === undefined) throw missing();
      return { Body: { transformToString: async () => found.text } };
    },
    PutObject: ({
      Bucket,
      Key,
      Body,
      Metadata = {},
      IfNoneMatch,
    }: {
      Bucket: string;
      Key: string;
      Body: string;
      Metadata?: Record<string, string>;
      IfNoneMatch?: string;
    }) => {
      moody();
      if (IfNoneMatch === "*") {
        if (faults.strikes("s3-conflict")) throw awsError("ConditionalRequestConflict", 409);
        if (objects.has(id(Bucket, Key))) {
          faults.note("s3-taken");
          throw awsError("PreconditionFailed", 412);
        }
      }
      objects.set(id(Bucket, Key), { text: Body, metadata: Metadata });
      return {};
    },
    CopyObject: ({
      Bucket,
      Key,
      CopySource,
      Metadata = {},
    }: {
      Bucket: string;
      Key: string;
      CopySource: string;
      Metadata?: Record<string, string>;
    }) => {
      moody();
      const found = objects.get(decodeURIComponent(CopySource));
      if (found === undefined) throw missing();
      objects.set(id(Bucket, Key), { text: found.text, metadata: Metadata });
      return {};
    },
    ListObjectsV2: ({ Bucket, Prefix, StartAfter = "", Delimiter }: Listed) => {
      moody();
      const keys = keysBelow(Bucket, Prefix)
        .filter((key) => key > StartAfter)
        .sort();
      const folderOf = (key: string): string | undefined => {
        const end = Delimiter === undefined ? -1 : key.indexOf(Delimiter, Prefix.length);
        return end < 0 ? undefined : key.slice(0, end + 1);
      };
      const folders = new Set(keys.flatMap((key) => folderOf(key) ?? []));
      return {
        Contents: keys
          .filter((key) => folderOf(key) === undefined)
          .map((Key) => ({ Key, Size: objects.get(id(Bucket, Key))?.text.length })),
        CommonPrefixes: [...folders].map((folder) => ({ Prefix: folder })),
        IsTruncated: false,
      };
    },
    DeleteObjects: ({ Bucket, Delete }: { Bucket: string; Delete: { Objects: { Key: string }[] } }) => {
      moody();
      for (const { Key } of Delete.Objects) {
        if (objects.has(id(Bucket, Key))) removed(Bucket, Key);
        objects.delete(id(Bucket, Key));
      }
      return { Errors: [] };
    },
  };
  return {
    api: api as unknown as Readonly<Record<string, (input: unknown) => unknown>>,
    read: (bucket: string, key: string): string | undefined => objects.get(id(bucket, key))?.text,
    write: (bucket: string, key: string, text: string): void => void objects.set(id(bucket, key), { text, metadata: {} }),
    /** Keys that begin so. */
    keys: keysBelow,
  };
};
