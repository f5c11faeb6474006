import { HeadObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Source } from "../../domain/deployment/shapes.ts";
import { unlessMissing } from "./errors.ts";

const VALID_SECONDS = 900;

/** Apps' sources in S3, by the digest of their zip. */
export const sourceBucket = (client: S3Client, bucket: string) => {
  const keyOf = (site: string, sha256: string): string => `sources/${site}/${sha256}.zip`;

  return {
    /** `undefined` where it was never uploaded. */
    find: async (site: string, sha256: string): Promise<Source | undefined> => {
      const key = keyOf(site, sha256);
      const found = await unlessMissing(client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })));
      return found && { key, sha256, bytes: found.ContentLength ?? 0 };
    },

    /**
     * A signed PUT of this one object for fifteen minutes. The digest is a signed header, so S3 itself refuses other
     * bytes: whoever holds the address can only put there what its name says.
     */
    prepare: async (
      site: string,
      sha256: string,
      bytes: number,
    ): Promise<{ source: Source; upload: { url: string; headers: Record<string, string> } }> => {
      const key = keyOf(site, sha256);
      const headers = { "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64"), "content-type": "application/zip" };
      const url = await getSignedUrl(
        client,
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          ChecksumSHA256: headers["x-amz-checksum-sha256"],
          ContentType: headers["content-type"],
        }),
        {
          expiresIn: VALID_SECONDS,
          // headers, not query parameters: only then does S3 hold the body against them
          unhoistableHeaders: new Set(["x-amz-checksum-sha256"]),
          signableHeaders: new Set(["host", "content-type"]),
        },
      );
      return { source: { key, sha256, bytes }, upload: { url, headers } };
    },
  };
};
