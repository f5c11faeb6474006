import type { SiteConfig } from "../../blueprint/engine-config.ts";
import type { Subscribed } from "../../blueprint/topology.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { siteOf } from "../../domain/kernel/identity.ts";
import type { Delivery } from "../../engine/kit/consumer.ts";
import { type Aggregates, following } from "../../engine/log/execute.ts";

export type Ports = {
  readonly aggregates: Pick<Aggregates, "environment">;
  site(site: string, environment: string): SiteConfig | undefined;
  /** asks the CDN to forget everything of a distribution; the same reference asks once. Answers the invalidation's id. */
  invalidate(distribution: string, reference: string): Promise<string>;
};

const ACTOR = "shiplog refresh-edge";

/**
 * Makes the CDN forget the release before. After the fact: it may take minutes and cannot be part of the flip. When it
 * fails for good that is a warning, since what is live is live.
 */
export const refreshEdge =
  ({ aggregates, site: siteNamed, invalidate }: Ports) =>
  async (event: Recorded<Subscribed<"refresh-edge">>, { last }: Pick<Delivery, "last">): Promise<void> => {
    const { sequence, deploymentId } = event.body;
    const { site, environment } = siteOf(event.stream);
    const distribution = siteNamed(site, environment)?.distribution;
    if (!distribution) return;
    try {
      const invalidationId = await invalidate(distribution, `${deploymentId}-${sequence}`);
      await aggregates.environment.execute(
        site,
        environment,
        { type: "RecordEdgeInvalidated", sequence, deploymentId, distribution, invalidationId },
        following(event, ACTOR),
      );
    } catch (error) {
      if (!last) throw error;
      const reason = `visitors may see older pages until these expire: ${error instanceof Error ? error.message : String(error)}`.slice(
        0,
        2_000,
      );
      await aggregates.environment.execute(
        site,
        environment,
        { type: "RecordEdgeInvalidationFailed", sequence, deploymentId, distribution, reason },
        following(event, ACTOR, "/failed"),
      );
    }
  };
