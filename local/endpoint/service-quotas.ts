import { type AccountLimits, USUAL_BUILDS } from "../account-limits.ts";
import { ACCOUNT, AwsError, type AwsService, REGION } from "../http.ts";
import { jsonService } from "./wire.ts";

const NAMES: Readonly<Record<string, string>> = { codebuild: "AWS CodeBuild", lambda: "AWS Lambda" };

/** Service Quotas, as far as this account's quotas differ from one account to another; codes and names are AWS's. */
export const serviceQuotasService = ({ builds = USUAL_BUILDS, concurrentInvocations }: AccountLimits): AwsService => {
  const all: readonly (readonly [service: string, code: string, name: string, value: number])[] = [
    ["codebuild", "L-5ED1D25B", "Concurrently running builds for ARM/Small environment", builds],
    ["codebuild", "L-9D07B6EF", "Concurrently running builds for Linux/Small environment", builds],
    ["lambda", "L-B99A9384", "Concurrent executions", concurrentInvocations],
  ];
  return jsonService("servicequotas", {
    ListServiceQuotas({ ServiceCode }: { ServiceCode: string }) {
      if (NAMES[ServiceCode] === undefined)
        throw new AwsError("NoSuchResourceException", 400, `The local Service Quotas has no service ${ServiceCode}.`);
      return {
        Quotas: all
          .filter(([service]) => service === ServiceCode)
          .map(([, QuotaCode, QuotaName, Value]) => ({
            ServiceCode,
            ServiceName: NAMES[ServiceCode],
            QuotaArn: `arn:aws:servicequotas:${REGION}:${ACCOUNT}:${ServiceCode}/${QuotaCode}`,
            QuotaCode,
            QuotaName,
            Value,
            Unit: "None",
            Adjustable: true,
            GlobalQuota: false,
            QuotaAppliedAtLevel: "ACCOUNT",
          })),
      };
    },
  });
};
