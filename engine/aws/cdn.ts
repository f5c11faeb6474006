import { type CloudFrontClient, CreateInvalidationCommand } from "@aws-sdk/client-cloudfront";

export const cdn = (client: CloudFrontClient) => ({
  /** Forgets everything of a distribution (`/*` counts as one path). The same reference is the same invalidation. */
  invalidate: async (distribution: string, reference: string): Promise<string> => {
    const { Invalidation } = await client.send(
      new CreateInvalidationCommand({
        DistributionId: distribution,
        InvalidationBatch: { CallerReference: reference, Paths: { Quantity: 1, Items: ["/*"] } },
      }),
    );
    return Invalidation?.Id ?? "unknown";
  },
});
