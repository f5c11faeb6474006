import { reservedConcurrency } from "../blueprint/concurrency.ts";
import { componentName, type EngineFunction, type EngineFunctionName, functionName, logGroupName } from "../blueprint/engine-functions.ts";
import { rightsOf } from "../blueprint/rights.ts";
import { RUNTIME } from "../blueprint/site-resources.ts";
import { assumedBy, concurrencyQuota, policyOf } from "./account.ts";
import { CONFIG_FILE, configLayer } from "./config.ts";
import { sealKey } from "./seal-key.ts";
import { edgeTables } from "./sites.ts";

/** What the names of a stage are made of (`blueprint/prefix.ts`), as it is here. */
const { SHIPLOG_DEFAULT_STAGE } = process.env;
const stageOfNames = { SHIPLOG_STAGE: $app.stage, ...(SHIPLOG_DEFAULT_STAGE !== undefined && { SHIPLOG_DEFAULT_STAGE }) };

/** A function of the engine, with a role of its own that may do what `blueprint/rights.ts` lists and write its own log. */
export const engineFunction = ({ name, timeoutSeconds, memoryMb }: EngineFunction): sst.aws.Function => {
  const title = componentName(name);
  const role = new aws.iam.Role(`${title}Role`, {
    assumeRolePolicy: assumedBy("lambda.amazonaws.com"),
    inlinePolicies: [
      {
        name: "rights",
        policy: policyOf(
          [
            ...rightsOf(name as EngineFunctionName),
            {
              actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
              on: [`arn:{partition}:logs:{region}:{account}:log-group:${logGroupName(name)}:*`],
            },
          ],
          { "{sealKey}": [sealKey.arn], "{edgeTables}": edgeTables.map(({ arn }) => arn) },
        ),
      },
    ],
  });
  return new sst.aws.Function(title, {
    name: functionName(name),
    handler: `services/${name}/handler.handler`,
    runtime: RUNTIME,
    architecture: "arm64",
    timeout: `${timeoutSeconds} seconds`,
    memory: `${memoryMb} MB`,
    // a release is unpacked and zipped again in /tmp: output, package and archive of at most 250 MB each
    ...(name === "publish-release" && { storage: "2 GB" }),
    role: role.arn,
    concurrency: concurrencyQuota.apply((quota) => {
      const reserved = reservedConcurrency(name as EngineFunctionName, quota);
      return reserved === undefined ? {} : { reserved };
    }),
    layers: [configLayer.arn],
    environment: { SHIPLOG_CONFIG: CONFIG_FILE, ...stageOfNames },
    logging: { retention: "1 month" },
    transform: { logGroup: { name: logGroupName(name) } },
  });
};
