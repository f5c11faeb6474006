import { ListDistributionsCommand } from "@aws-sdk/client-cloudfront";
import { BatchGetProjectsCommand } from "@aws-sdk/client-codebuild";
import { GetAccountSettingsCommand } from "@aws-sdk/client-lambda";
import { paginateListServiceQuotas, type ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { Clients } from "../../engine/aws/clients.ts";

export type Quota = { readonly code: string; readonly value: number };

/** What CodeBuild calls a project's machine, and what Service Quotas calls it. */
const FAMILIES: Readonly<Record<string, string>> = { ARM_CONTAINER: "ARM", LINUX_CONTAINER: "Linux" };
const SIZES: Readonly<Record<string, string>> = {
  BUILD_GENERAL1_SMALL: "Small",
  BUILD_GENERAL1_MEDIUM: "Medium",
  BUILD_GENERAL1_LARGE: "Large",
  BUILD_GENERAL1_XLARGE: "XLarge",
  BUILD_GENERAL1_2XLARGE: "2XLarge",
};
const MAX_NAMES = 100;

/** Looks at what AWS lets an account do, through its ordinary interfaces. */
export const inspectQuotas = ({ codeBuild, cloudFront, lambda }: Clients, serviceQuotas: ServiceQuotasClient) => ({
  /** Invocations of all functions that may run at once in the region. */
  invocations: async (): Promise<number> => (await lambda.send(new GetAccountSettingsCommand({}))).AccountLimit?.ConcurrentExecutions ?? 0,

  /** The machines that those of these projects which exist build on, each once: "ARM/Small". */
  machines: async (projects: readonly string[]): Promise<readonly string[]> => {
    const found = new Set<string>();
    for (let from = 0; from < projects.length; from += MAX_NAMES) {
      const names = projects.slice(from, from + MAX_NAMES);
      for (const { environment } of (await codeBuild.send(new BatchGetProjectsCommand({ names }))).projects ?? [])
        found.add(
          `${FAMILIES[environment?.type ?? ""] ?? environment?.type}/${SIZES[environment?.computeType ?? ""] ?? environment?.computeType}`,
        );
    }
    return [...found];
  },

  /** Builds that may run at once on a machine; `undefined` where Service Quotas does not list it. */
  builds: async (machine: string): Promise<Quota | undefined> => {
    for await (const { Quotas = [] } of paginateListServiceQuotas({ client: serviceQuotas }, { ServiceCode: "codebuild" })) {
      const quota = Quotas.find(({ QuotaName }) => QuotaName === `Concurrently running builds for ${machine} environment`);
      if (quota !== undefined) return { code: quota.QuotaCode ?? "", value: quota.Value ?? 0 };
    }
    return undefined;
  },

  /** Whether CloudFront ever let this account have a distribution that is still there. */
  hasDistribution: async (): Promise<boolean> =>
    ((await cloudFront.send(new ListDistributionsCommand({ MaxItems: 1 }))).DistributionList?.Quantity ?? 0) > 0,
});
