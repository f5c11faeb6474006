import { buildspecOf } from "../blueprint/buildspec.ts";
import { componentName } from "../blueprint/engine-functions.ts";
import { bucketName, type Right } from "../blueprint/rights.ts";
import { siteResources } from "../blueprint/site-resources.ts";
import { NODE_MAJOR } from "../blueprint/sites-runtime.ts";
import type { buckets as stores } from "../blueprint/stores.ts";
import { assumedBy, policyOf } from "./account.ts";
import { buckets } from "./buckets.ts";
import { type DeclaredSite, declaredSites } from "./declared-sites.ts";

/** Node as an image of its own: CodeBuild's images lag behind, and a buildspec's `runtime-versions` is then left aside. */
const IMAGE = `public.ecr.aws/docker/library/node:${NODE_MAJOR}-bookworm`;

const s3 = (bucket: keyof typeof stores, path = "") => `arn:{partition}:s3:::${bucketName(bucket)}${path}`;

/**
 * What a build may do. It runs the app's own code, and that of whoever may open a pull request: nothing of the engine's,
 * and of what is secret or kept only its own environment's.
 */
const rightsOf = (site: string, { project, secret, builds, buildCache }: ReturnType<typeof siteResources>): Right[] => [
  { actions: ["s3:GetObject", "s3:GetObjectVersion"], on: [s3("sources", `/sources/${site}/*`)] },
  { actions: ["s3:PutObject"], on: [s3("artifacts", `/${builds}/*`)] },
  { actions: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], on: [s3("artifacts", `/${buildCache}/*`)] },
  // CodeBuild looks at whose a bucket is and where, before it reads or writes
  { actions: ["s3:GetBucketAcl", "s3:GetBucketLocation"], on: [s3("sources"), s3("artifacts")] },
  { actions: ["secretsmanager:GetSecretValue"], on: [`arn:{partition}:secretsmanager:{region}:{account}:secret:${secret}-??????`] },
  {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    on: [`arn:{partition}:logs:{region}:{account}:log-group:/aws/codebuild/${project}:*`],
  },
];

/** A project for each environment: a preview's build must not reach what production's builds are given or leave behind. */
const projectOf = (site: DeclaredSite, environment: string): aws.codebuild.Project => {
  const title = componentName(`${site.name}-${environment}`);
  const names = siteResources(site.name, environment);
  const { project, builds, buildCache } = names;
  const role = new aws.iam.Role(`${title}BuildRole`, {
    assumeRolePolicy: assumedBy("codebuild.amazonaws.com"),
    inlinePolicies: [{ name: "rights", policy: policyOf(rightsOf(site.name, names)) }],
  });
  const log = new aws.cloudwatch.LogGroup(`${title}BuildLog`, { name: `/aws/codebuild/${project}`, retentionInDays: 30 });
  return new aws.codebuild.Project(`${title}Project`, {
    name: project,
    serviceRole: role.arn,
    buildTimeout: site.buildTimeoutMinutes,
    queuedTimeout: 60,
    source: {
      type: "S3",
      location: $interpolate`${buckets.sources.bucket}/none`,
      ...(site.ownBuildspec !== true && { buildspec: buildspecOf(site, { refuseOwn: site.ownBuildspec === "unknown" }) }),
    },
    artifacts: {
      type: "S3",
      location: buckets.artifacts.bucket,
      packaging: "ZIP",
      path: builds,
      name: "output.zip",
      namespaceType: "NONE",
    },
    cache: { type: "S3", location: $interpolate`${buckets.artifacts.bucket}/${buildCache}` },
    environment: {
      type: site.architecture === "arm64" ? "ARM_CONTAINER" : "LINUX_CONTAINER",
      computeType: `BUILD_GENERAL1_${site.buildCompute.toUpperCase()}`,
      image: IMAGE,
      environmentVariables: [{ name: "NEXT_TELEMETRY_DISABLED", value: "1" }],
    },
    logsConfig: { cloudwatchLogs: { groupName: log.name } },
  });
};

/** What differs from one deployment to the next, StartBuild says. */
export const projects = declaredSites.flatMap((site) => site.environments.map(({ name }) => projectOf(site, name)));
