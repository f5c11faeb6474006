import { bucketName } from "../blueprint/rights.ts";
import { siteResources } from "../blueprint/site-resources.ts";
import { ARCHIVE_LOCK_DAYS, type Bucket, type BucketKey, buckets as declared } from "../blueprint/stores.ts";
import { account, kept, named, partition } from "./account.ts";

/** Private, encrypted, reached by TLS alone. Plain resources: one policy has to hold what CloudFront may read as well. */
const make = (key: BucketKey, title: string, { expireDays, versioned, locked }: Bucket) => {
  const bucket = new aws.s3.Bucket(`${title}Bucket`, {
    bucket: named(bucketName(key)),
    // a throw-away stage goes with what is in it, a protected one never
    forceDestroy: !kept,
    ...(locked && { objectLockEnabled: true }),
  });
  new aws.s3.BucketPublicAccessBlock(`${title}PublicAccessBlock`, {
    bucket: bucket.bucket,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  if (versioned)
    new aws.s3.BucketVersioning(`${title}Versioning`, { bucket: bucket.bucket, versioningConfiguration: { status: "Enabled" } });
  if (locked && kept)
    new aws.s3.BucketObjectLockConfiguration(`${title}Lock`, {
      bucket: bucket.bucket,
      rule: { defaultRetention: { mode: "COMPLIANCE", days: ARCHIVE_LOCK_DAYS } },
    });
  new aws.s3.BucketLifecycleConfiguration(`${title}Lifecycle`, {
    bucket: bucket.bucket,
    rules: [
      { id: "unfinished-uploads", status: "Enabled", filter: {}, abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } },
      ...(expireDays === null ? [] : [{ id: "expire", status: "Enabled", filter: {}, expiration: { days: expireDays } }]),
      // a bad write can be undone for a month; after that only what is current counts
      ...(versioned && !locked
        ? [
            {
              id: "old-versions",
              status: "Enabled",
              filter: {},
              noncurrentVersionExpiration: { noncurrentDays: 30 },
              expiration: { expiredObjectDeleteMarker: true },
            },
          ]
        : []),
    ],
  });
  return bucket;
};

/** CloudFront of this account may read the files of visitors (`_assets`), and nothing beside them: `_cache` stays private. */
const policy = (title: string, bucket: aws.s3.Bucket, statements: readonly object[]) =>
  new aws.s3.BucketPolicy(`${title}Policy`, {
    bucket: bucket.bucket,
    policy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: [bucket.arn, $interpolate`${bucket.arn}/*`],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
        ...statements,
      ],
    }),
  });

export const buckets = {
  sources: make("sources", "Sources", declared.sources),
  artifacts: make("artifacts", "Artifacts", declared.artifacts),
  static: make("static", "Static", declared.static),
  archive: make("archive", "Archive", declared.archive),
};

policy("Sources", buckets.sources, []);
policy("Artifacts", buckets.artifacts, []);
policy("Archive", buckets.archive, []);

// which files a distribution asks for is in its origin's path; a statement for each would outgrow the policy's 20 KB
policy("Static", buckets.static, [
  {
    Effect: "Allow",
    Principal: { Service: "cloudfront.amazonaws.com" },
    Action: "s3:GetObject",
    Resource: $interpolate`${buckets.static.arn}/${siteResources("*", "*").assets}/*`,
    Condition: { ArnLike: { "aws:SourceArn": $interpolate`arn:${partition}:cloudfront::${account}:distribution/*` } },
  },
]);
