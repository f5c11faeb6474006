import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { batchesAtOnce } from "../../blueprint/concurrency.ts";
import { componentName, engineFunctions, functionName, logGroupName, relay } from "../../blueprint/engine-functions.ts";
import { ORIGIN_HEADER, siteResources } from "../../blueprint/site-resources.ts";
import { eventsTable } from "../../blueprint/stores.ts";
import { type Consumer, consumers, deadLetterName, queueName } from "../../blueprint/topology.ts";
import { root } from "./support/bundle-config.ts";
import { checks, listRights } from "./support/checks.ts";
import { all, configIn, type Graph, graphOf, one, stages, statements } from "./support/graph.ts";

it("the infrastructure agrees with the types of SST's components", async () => {
  const tsc = `${root}/node_modules/typescript/bin/tsc`;
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.infra.json"], { cwd: root }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe("");
});

describe.each(stages)("the graph of the stage %s", (stage) => {
  it.each(Object.keys(checks) as (keyof typeof checks)[])("passes the check of %s", (name) => {
    expect(checks[name](graphOf(stage))).toEqual([]);
  });
});

describe("the graph of production", () => {
  const graph = (): Graph => graphOf("production");

  it("has exactly the listed rights", async () => {
    await expect(listRights(graph())).toMatchFileSnapshot("roles.txt");
  });

  it("lets only publish-release change code, and only flip-alias move an alias", () => {
    const who = (action: string) =>
      all(graph(), "role")
        .filter((role) => statements(role).some(({ Action }) => Action.includes(action)))
        .map(({ name }) => name);
    expect(who("lambda:UpdateFunctionCode")).toEqual(["PublishReleaseRole"]);
    expect(who("lambda:UpdateAlias")).toEqual(["FlipAliasRole"]);
    expect(who("codebuild:StartBuild")).toEqual(["StartBuildRole"]);
    expect(
      statements(one(graph(), "role", "NotifyRole")).flatMap(({ Action }) => Action.filter((action) => /^(lambda|s3):/.test(action))),
    ).toEqual([]);
  });

  it("tells every function of the engine its configuration, and keeps its log for a month", () => {
    for (const { name, timeoutSeconds, memoryMb } of engineFunctions) {
      const { inputs } = one(graph(), "function", functionName(name));
      const config = configIn(graph());
      expect([inputs.layers, inputs.environment.variables.SHIPLOG_CONFIG]).toEqual([
        [expect.stringContaining(":layer:shiplog-config:")],
        "/opt/shiplog.json",
      ]);
      expect(config.sites.map(({ site, environment }) => `${site}/${environment}`)).toEqual([
        "web/production",
        "web/preview",
        "shop/production",
      ]);
      expect(config.sites[0]?.host).toBe("www.example.com");
      expect(config.sites[1]?.host).toMatch(/cloudfront\.net$/);
      expect(config.sites.map(({ github }) => github.length)).toEqual([0, 1, 0]);
      expect(config.github).toEqual({
        issuer: "https://token.actions.githubusercontent.com",
        audience: expect.stringMatching(/^https:\/\/\w+\.execute-api\.[\w-]+\.amazonaws\.com$/),
      });
      expect([inputs.timeout, inputs.memorySize]).toEqual([timeoutSeconds, memoryMb]);
      expect(one(graph(), "logGroup", logGroupName(name)).inputs.retentionInDays).toBe(30);
    }
  });

  it("has the event table of the topology, with its index and its stream", () => {
    const { inputs } = one(graph(), "table", eventsTable.name);
    expect(inputs.globalSecondaryIndexes).toEqual([{ name: "log", hashKey: "gsi1pk", rangeKey: "gsi1sk", projectionType: "ALL" }]);
    expect([inputs.hashKey, inputs.rangeKey, inputs.streamEnabled, inputs.streamViewType]).toEqual(["pk", "sk", true, "NEW_IMAGE"]);
  });

  it("reads the stream from its beginning, one batch at a time, and puts aside what fails for ever", () => {
    const { inputs } = one(graph(), "mapping", "RelayMapping");
    expect(inputs).toMatchObject({
      startingPosition: "TRIM_HORIZON",
      parallelizationFactor: 1,
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: relay.retries,
      maximumRecordAgeInSeconds: relay.maxAgeSeconds,
      destinationConfig: { onFailure: { destinationArn: expect.stringMatching(/^arn:aws:s3:::shiplog-artifacts-/) } },
    });
  });

  it("keeps buckets private, reached by TLS alone, and lets CloudFront read the files of visitors and nothing else", () => {
    const blocked = graph().resources.filter(({ type }) => type === "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock");
    expect(blocked.map(({ inputs }) => inputs.bucket).sort()).toEqual(
      all(graph(), "bucket")
        .map(({ inputs }) => inputs.bucket)
        .sort(),
    );
    for (const { inputs } of all(graph(), "bucketPolicy")) {
      const [first, ...rest] = JSON.parse(inputs.policy).Statement;
      expect(first).toMatchObject({ Effect: "Deny", Action: "s3:*", Condition: { Bool: { "aws:SecureTransport": "false" } } });
      for (const { Action, Resource, Condition } of rest) {
        expect([Action, Resource]).toEqual(["s3:GetObject", expect.stringMatching(/\/_assets\/\*$/)]);
        expect(Condition).toEqual({ ArnLike: { "aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/*" } });
      }
    }
  });

  it("locks the archive, and expires only what can be made again", () => {
    const of = (type: string) => graph().resources.filter((resource) => resource.type === type);
    expect(of("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").map(({ name }) => name)).toEqual(["ArchiveLock"]);
    const expiring = of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").filter(({ inputs }) =>
      inputs.rules.some(({ expiration }: { expiration?: { days?: number } }) => expiration?.days !== undefined),
    );
    expect(expiring.map(({ name }) => name)).toEqual(["ArtifactsLifecycle", "SourcesLifecycle"]);
  });

  it("gives the addresses of functions to the alias, with both permissions, and nobody may invoke them otherwise", () => {
    const { functions, alias } = siteResources("web", "production");
    for (const name of [functions.server, functions.image]) {
      expect(all(graph(), "url").filter(({ inputs }) => inputs.functionName === name && inputs.qualifier === alias)).toHaveLength(1);
      const permissions = all(graph(), "permission").filter(({ inputs }) => inputs.function === name);
      expect(
        permissions
          .map(({ inputs }) => [inputs.action, inputs.qualifier, inputs.functionUrlAuthType ?? inputs.invokedViaFunctionUrl])
          .sort(),
      ).toEqual([
        ["lambda:InvokeFunction", alias, true],
        ["lambda:InvokeFunctionUrl", alias, "NONE"],
      ]);
    }
    expect(all(graph(), "permission").filter(({ inputs }) => inputs.function === functions.revalidation)).toEqual([]);
  });

  it("lets the address of a server stream where its site declares it, and of nothing else", () => {
    const modes = (site: string) => {
      const before = `shiplog-${site}-production-`;
      const urls = all(graph(), "url").filter(({ inputs }) => inputs.functionName.startsWith(before));
      return Object.fromEntries(urls.map(({ inputs }) => [inputs.functionName.slice(before.length), inputs.invokeMode]));
    };
    expect(modes("web")).toEqual({ server: "BUFFERED", image: "BUFFERED" });
    expect(modes("shop")).toEqual({
      server: "RESPONSE_STREAM",
      "server-api": "RESPONSE_STREAM",
      "server-admin": "RESPONSE_STREAM",
      image: "BUFFERED",
    });
  });

  it("sends the paths of split functions to them below the basePath, the most specific of all behaviours first", () => {
    const cdn = all(graph(), "distribution").find(({ inputs }) => inputs.comment === "Shiplog: shop/production");
    expect(
      cdn?.inputs.orderedCacheBehaviors.map(({ pathPattern, targetOriginId }: { pathPattern: string; targetOriginId: string }) => [
        pathPattern,
        targetOriginId,
      ]),
    ).toEqual([
      ["/en/api/admin/*", "server-admin"],
      ["/_next/image*", "image"],
      ["/_next/data/*", "server"],
      ["/en/admin*", "server-admin"],
      ["/en/api/*", "server-api"],
      ["/_next/*", "files-or-page"],
      ["/*/_next/static/*", "files-or-page"],
      ["/*/_next/image*", "image"],
    ]);
  });

  it("maps the revalidation queue to the alias", () => {
    const { inputs } = one(graph(), "mapping", "WebProductionRevalidationMapping");
    expect(inputs.functionName).toMatch(/:function:shiplog-web-production-revalidation:live$/);
    expect(one(graph(), "queue", "shiplog-web-production-revalidation.fifo").inputs.fifoQueue).toBe(true);
  });

  it("serves a site by the behaviours of OpenNext: the server by default, files from _assets", () => {
    const { inputs } = one(graph(), "distribution", "WebProductionCdnDistribution");
    const file = { targetOriginId: "files-or-page", allowedMethods: ["GET", "HEAD", "OPTIONS"] };
    // what S3 does not have is the app's to answer, and it must know for which host
    expect(inputs.originGroups).toEqual([
      {
        originId: "files-or-page",
        failoverCriteria: { statusCodes: [403, 404] },
        members: [{ originId: "files" }, { originId: "server" }],
      },
    ]);
    const kept = one(graph(), "cachePolicy", "FilesCachePolicy").inputs;
    expect([kept.minTtl, kept.defaultTtl, kept.parametersInCacheKeyAndForwardedToOrigin.headersConfig.headers.items]).toEqual([
      0,
      0,
      ["x-forwarded-host"],
    ]);
    expect(inputs.defaultCacheBehavior).toMatchObject({
      targetOriginId: "server",
      allowedMethods: expect.arrayContaining(["POST", "DELETE"]),
    });
    expect(inputs.defaultCacheBehavior.functionAssociations).toMatchObject([{ eventType: "viewer-request" }]);
    expect(inputs.orderedCacheBehaviors).toMatchObject([
      { pathPattern: "/_next/image*", targetOriginId: "image" },
      { pathPattern: "/_next/data/*", targetOriginId: "server" },
      { pathPattern: "/_next/*", ...file },
      { pathPattern: "/*/_next/static/*", ...file },
      { pathPattern: "/*/_next/image*", targetOriginId: "image" },
    ]);
    expect(inputs.origins.find(({ originId }: { originId: string }) => originId === "files").originPath).toBe("/web/production/_assets");
    expect(inputs.aliases).toEqual(["www.example.com"]);
  });

  it("keeps pages apart by what Next looks at", () => {
    const { inputs } = one(graph(), "cachePolicy", "PagesCachePolicy");
    const { queryStringsConfig, headersConfig, cookiesConfig } = inputs.parametersInCacheKeyAndForwardedToOrigin;
    expect(queryStringsConfig).toEqual({ queryStringBehavior: "allExcept", queryStrings: { items: ["_rsc", "dpl"] } });
    expect(headersConfig.headers.items).toEqual([
      "rsc",
      "next-router-prefetch",
      "next-router-segment-prefetch",
      "next-router-state-tree",
      "next-url",
      "x-prerender-revalidate",
      "x-forwarded-host",
      "x-shiplog-release",
    ]);
    expect(cookiesConfig.cookies.items).toEqual(["__prerender_bypass"]);
  });

  it("gives each environment a key of its own, which its edge sends to every function and its functions are told", () => {
    const config = configIn(graph());
    for (const { site, environment, originKeys, distribution } of config.sites) {
      expect(originKeys, `${site}/${environment}`).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
      const found = all(graph(), "distribution").find(({ outputs }) => outputs.arn.endsWith(`/${distribution}`));
      const origins = found?.inputs.origins as { originId: string; customHeaders?: { name: string; value: string }[] }[];
      for (const { originId, customHeaders } of origins)
        expect([originId, customHeaders ?? []]).toEqual([
          originId,
          originId === "files" ? [] : [{ name: ORIGIN_HEADER, value: originKeys.join(",") }],
        ]);
    }
    const parameters = graph().resources.filter(({ type }) => type === "aws:ssm/parameter:Parameter");
    expect(parameters.map(({ inputs, ignoreChanges }) => [inputs.name, inputs.type, ignoreChanges]).sort()).toEqual(
      ["shop/production", "web/preview", "web/production"].map((place) => [`/shiplog/${place}/origin-keys/1`, "SecureString", ["value"]]),
    );
  });

  it("lets neither builds nor functions of an environment reach what is another's", () => {
    const places = ["web/production", "web/preview", "shop/production"];
    const ofPlace = (place: string) => new RegExp(place.replace("/", "[/-]"));
    const titles = places.map((place) => componentName(place.replace("/", "-")));
    for (const [at, place] of places.entries()) {
      const roles = all(graph(), "role").filter(({ name }) => name.startsWith(titles[at] ?? ""));
      expect(roles.length).toBeGreaterThanOrEqual(4);
      for (const role of roles)
        for (const other of places.filter((one) => one !== place))
          expect(JSON.stringify(statements(role)), role.name).not.toMatch(ofPlace(other));
      const lists = roles.flatMap(statements).filter(({ Action }) => Action.includes("s3:ListBucket"));
      for (const { Condition } of lists)
        expect(Condition).toEqual({ StringLike: { "s3:prefix": expect.stringMatching(`^${place}/_[a-z]+/\\*$`) } });
      // whatever of the artifacts bucket a build may write is below its own environment
      const written = statements(one(graph(), "role", `${titles[at]}BuildRole`)).filter(({ Action }) => Action.includes("s3:PutObject"));
      expect(written.flatMap(({ Resource }) => Resource.map((arn) => arn.replace(/^[^/]*\//, "")))).toEqual([
        `builds/${place}/*`,
        `caches/${place}/*`,
      ]);
    }
  });

  it("gives a site's functions, its builds and its CDN what it declares, and others what is usual", () => {
    const [web, shop] = ["web-production", "shop-production"].map((place) => one(graph(), "function", `shiplog-${place}-server`).inputs);
    expect([web?.memorySize, web?.timeout, web?.runtime]).toEqual([1024, 20, "nodejs24.x"]);
    expect([shop?.memorySize, shop?.timeout]).toEqual([2048, 300]);
    expect(one(graph(), "function", "shiplog-shop-production-server-api").inputs.memorySize).toBe(2048);
    expect(one(graph(), "function", "shiplog-shop-production-image").inputs.memorySize).toBe(1536);
    const compute = ["web", "shop"].map((site) => one(graph(), "project", `shiplog-${site}-production`).inputs.environment.computeType);
    expect(compute).toEqual(["BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_LARGE"]);
    const queue = one(graph(), "queue", "shiplog-shop-production-revalidation.fifo").inputs;
    expect([one(graph(), "function", "shiplog-shop-production-revalidation").inputs.timeout, queue.visibilityTimeoutSeconds]).toEqual([
      60, 360,
    ]);
    expect(configIn(graph()).sites.map(({ sizes }) => sizes.server)).toEqual([
      undefined,
      undefined,
      { memoryMb: 2048, timeoutSeconds: 300 },
    ]);
    const waits = (place: string) =>
      one(graph(), "distribution", `${place}CdnDistribution`).inputs.origins[0].customOriginConfig.originReadTimeout;
    expect([waits("WebProduction"), waits("ShopProduction")]).toEqual([30, 60]);
    const may = (role: string) => statements(one(graph(), "role", role)).some(({ Action }) => Action.includes("ses:SendEmail"));
    expect(
      ["ShopProductionServerRole", "ShopProductionServerApiRole", "ShopProductionImageRole", "WebProductionServerRole"].map(may),
    ).toEqual([true, true, false, false]);
  });

  it("keeps executions for the record and the way back, and takes of the account no more than it has", () => {
    const reserved = all(graph(), "function").flatMap(({ inputs }) =>
      inputs.reservedConcurrentExecutions === undefined ? [] : [[inputs.name, inputs.reservedConcurrentExecutions]],
    );
    expect(reserved).toEqual(
      expect.arrayContaining([
        ["shiplog-relay", 10],
        ["shiplog-api", 20],
        ["shiplog-flip-alias", 10],
      ]),
    );
    expect(reserved).toHaveLength(3);
    const batches = consumers.map(
      ({ name }) => one(graph(), "mapping", `${componentName(name)}Mapping`).inputs.scalingConfig.maximumConcurrency,
    );
    expect(batches).toEqual((consumers as readonly Consumer[]).map((consumer) => batchesAtOnce(consumer, 1_000)));
  });

  it("builds each environment in a project of its own, with its site's time limit and its own buildspec where it has one", () => {
    const web = one(graph(), "project", "shiplog-web-production").inputs;
    const shop = one(graph(), "project", "shiplog-shop-production").inputs;
    expect(all(graph(), "project")).toHaveLength(3);
    expect([web.buildTimeout, web.environment.type, web.source.buildspec !== undefined]).toEqual([20, "ARM_CONTAINER", true]);
    expect([shop.buildTimeout, shop.environment.type, shop.source.buildspec]).toEqual([30, "LINUX_CONTAINER", undefined]);
    for (const { artifacts, cache } of [web, shop]) expect([artifacts.packaging, artifacts.type, cache.type]).toEqual(["ZIP", "S3", "S3"]);
  });

  it("raises an alarm for every dead letter, for late events, for what is stuck or taken for a loop, and before code storage is full", () => {
    const alarms = all(graph(), "alarm");
    const on = (metric: string, dimension: string): string[] =>
      alarms.flatMap(({ inputs }) => (inputs.metricName === metric ? [inputs.dimensions[dimension]] : [])).sort();
    const watched = on("ApproximateNumberOfMessagesVisible", "QueueName");
    expect(on("ApproximateAgeOfOldestMessage", "QueueName")).toEqual(consumers.map(({ name }) => queueName(name)).sort());
    expect(on("RecursiveInvocationsDropped", "FunctionName")).toEqual(consumers.map(({ name }) => functionName(name)).sort());
    const dead = all(graph(), "queue").flatMap(({ inputs }) => (inputs.redrivePolicy === undefined ? [inputs.name] : []));
    expect(watched).toEqual(dead.sort());
    expect(watched).toEqual(expect.arrayContaining(consumers.map(({ name }) => deadLetterName(name))));
    expect(alarms.map(({ inputs }) => inputs.metricName)).toEqual(
      expect.arrayContaining(["IteratorAge", "OldestStepMinutes", "CodeStoragePercent"]),
    );
    for (const { inputs } of alarms) expect(inputs.alarmActions).toHaveLength(1);
  });

  it("refuses a second stage in the same account before it shares a queue or a rule", () => {
    const { urn } = one(graph(), "table", eventsTable.name);
    for (const kind of ["queue", "rule"] as const)
      for (const { name, dependsOn } of all(graph(), kind)) expect(dependsOn, name).toContain(urn);
  });
});
