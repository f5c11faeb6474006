import { paginateListObjectsV2, type S3Client } from "@aws-sdk/client-s3";

/** What is in a bucket, by where its keys begin. */
export const objectLists = (client: S3Client) => ({
  /** The keys below a prefix, in order. */
  list: async (bucket: string, prefix: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
      keys.push(...Contents.flatMap(({ Key }) => Key ?? []));
    return keys.sort();
  },

  /** The keys below a prefix with the bytes of each, a page at a time. */
  pages: async function* (bucket: string, prefix: string): AsyncGenerator<readonly { readonly key: string; readonly bytes: number }[]> {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
      yield Contents.flatMap(({ Key, Size = 0 }) => (Key === undefined ? [] : [{ key: Key, bytes: Size }]));
  },

  /** The names of the folders directly below one. @param folder ends with a slash */
  folders: async (bucket: string, folder: string): Promise<string[]> => {
    const names: string[] = [];
    for await (const { CommonPrefixes = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: folder, Delimiter: "/" }))
      names.push(...CommonPrefixes.flatMap(({ Prefix = "" }) => Prefix.slice(folder.length, -1) || []));
    return names.sort();
  },
});
