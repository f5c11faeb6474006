import type { Right } from "../blueprint/rights.ts";

/** Whether this stage keeps what cannot be made again (`blueprint/stage.ts`). */
export const kept = $app.protect;
/** Where this stage is. */
export const account = aws.getCallerIdentityOutput({}).accountId;
export const region = aws.getRegionOutput({}).region;
export const partition = aws.getPartitionOutput({}).partition;

/**
 * How many functions the account may run at a time (Service Quotas, "Concurrent executions"): 10 where it is new. SHIPLOG_CONCURRENCY
 * says it where Service Quotas does not, or where others in the account have most of it.
 */
const { SHIPLOG_CONCURRENCY } = process.env;
const said = SHIPLOG_CONCURRENCY ? Number(SHIPLOG_CONCURRENCY) : undefined;
if (said !== undefined && !(Number.isInteger(said) && said > 0))
  throw new Error(`SHIPLOG_CONCURRENCY is "${SHIPLOG_CONCURRENCY}", and must be a whole number above 0`);
export const concurrencyQuota =
  said !== undefined ? $output(said) : aws.servicequotas.getServiceQuotaOutput({ serviceCode: "lambda", quotaCode: "L-B99A9384" }).value;

type Known = { partition: string; region: string; account: string };
const fill = (template: string, known: Known): string =>
  template
    .replace(/\{(partition|region|account)\}/g, (_, name: keyof Known) => known[name])
    .replaceAll("{app}", $app.name)
    .replaceAll("{stage}", $app.stage);

/** A name with `{account}` and `{region}` in it, as it is here. */
export const named = (template: string): $util.Output<string> =>
  $resolve([partition, region, account]).apply(([partition, region, account]) => fill(template, { partition, region, account }));

/** Of all inline policies of a role. */
const MAX_CHARACTERS = 10_240;

/** A policy document that allows exactly these rights. `special` are the resources that have no name of their own. */
export const policyOf = (
  rights: readonly Right[],
  special: Readonly<Record<string, $util.Input<$util.Input<string>[]>>> = {},
): $util.Output<string> =>
  $resolve({ partition, region, account, special: $util.output(special) }).apply(({ special, ...known }) => {
    const text = JSON.stringify({
      Version: "2012-10-17",
      Statement: rights
        .map(({ actions, on, when, denied }) => ({
          Effect: denied ? "Deny" : "Allow",
          Action: [...actions],
          Resource: on.flatMap((template) => special[template] ?? [fill(template, known)]),
          ...(when && { Condition: JSON.parse(fill(JSON.stringify(when), known)) }),
        }))
        // an account without a site has no table of an edge, and IAM takes no right on nothing
        .filter(({ Resource }) => Resource.length > 0),
    });
    if (text.length > MAX_CHARACTERS)
      throw new Error(
        `a role's policy has ${text.length} characters and IAM takes ${MAX_CHARACTERS}: of a site's server, its "permissions" are part of it`,
      );
    return text;
  });

/** Lets one service of AWS take a role, and only on behalf of this account. */
export const assumedBy = (service: string): $util.Output<string> =>
  account.apply((account) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: service },
          Action: "sts:AssumeRole",
          Condition: { StringEquals: { "aws:SourceAccount": account } },
        },
      ],
    }),
  );
