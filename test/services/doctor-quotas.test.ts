import { expect, it } from "vitest";
import { buildQuotas, cloudFrontVerification, invocationQuota } from "../../operator/doctor/quotas.ts";

const place = { site: "web", environment: "production", functions: [] };
const sight = (more: Partial<Parameters<typeof buildQuotas>[0]> = {}) => ({
  machines: async () => ["Linux/Medium"],
  builds: async () => ({ code: "L-2DC20C30", value: 5 }),
  invocations: async () => 1_000,
  hasDistribution: async () => true,
  ...more,
});

it("the machines of the projects that are there count, not those of the sites file", async () => {
  const asked: string[] = [];
  const builds = async (machine: string) => {
    asked.push(machine);
    return { code: "L-2DC20C30", value: 5 };
  };
  expect(await buildQuotas(sight({ builds }), [{ ...place, architecture: "arm64" }])).toEqual([
    { what: "builds on Linux/Medium", state: "ok", says: "5 at once", mend: null },
  ]);
  expect(asked).toEqual(["Linux/Medium"]);
});

it("a machine without a quota is named, with what lists them", async () => {
  expect(await buildQuotas(sight({ builds: async () => undefined }), [place])).toMatchObject([
    { what: "builds on Linux/Medium", state: "wrong", mend: "aws service-quotas list-service-quotas --service-code codebuild" },
  ]);
});

it("a distribution that is there says that CloudFront takes more", async () => {
  expect(await cloudFrontVerification(sight())).toMatchObject([{ state: "ok" }]);
  expect(await cloudFrontVerification(sight({ hasDistribution: async () => false }))).toMatchObject([{ state: "wrong" }]);
});

it("a hundred functions at once are enough, and one less is told", async () => {
  expect(await invocationQuota(sight({ invocations: async () => 100 }))).toMatchObject([{ state: "ok", says: "100" }]);
  expect(await invocationQuota(sight({ invocations: async () => 99 }))).toMatchObject([{ state: "wrong" }]);
});
