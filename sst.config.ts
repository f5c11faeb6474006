/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  async app(input) {
    const { existsSync, readFileSync } = await import("node:fs");
    const { isProtected } = await import("./blueprint/stage.ts");
    const personal = existsSync(".sst/stage") ? readFileSync(".sst/stage", "utf8").trim() : undefined;
    const kept = isProtected(input?.stage, process.env.SHIPLOG_THROWAWAY, personal);
    return {
      name: "shiplog",
      home: "aws",
      // what is lost with a table or a bucket cannot be made again
      removal: kept ? "retain" : "remove",
      protect: kept,
      providers: { aws: { version: "7.20.0" } },
    };
  },
  /** Every file of infra declares one capability; the imports between them say what stands on what. */
  async run() {
    const { existsSync, readdirSync, readFileSync } = await import("node:fs");
    const { homedir } = await import("node:os");
    const { isRegionSaid, REGION_UNSAID } = await import("./blueprint/region.ts");
    const { AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE, SST_AWS_REGION, SHIPLOG_STAGE = $app.stage } = process.env;
    const profiles = [AWS_CONFIG_FILE || `${homedir()}/.aws/config`, AWS_SHARED_CREDENTIALS_FILE || `${homedir()}/.aws/credentials`];
    // SST says the region that it took in a variable of its own
    if (
      SST_AWS_REGION === "us-east-1" &&
      !isRegionSaid(
        process.env,
        profiles.filter(existsSync).map((file) => readFileSync(file, "utf8")),
      )
    )
      throw new Error(REGION_UNSAID);
    if (SHIPLOG_STAGE !== $app.stage)
      throw new Error(
        `SHIPLOG_STAGE is ${SHIPLOG_STAGE}, and this deploys ${$app.stage}: unset it, and look whether SHIPLOG_SITES is the other stage's too`,
      );
    // before anything is imported that has names in it
    process.env.SHIPLOG_STAGE = $app.stage;
    const { sayProtection } = await import("./blueprint/stage.ts");
    const outputs = { stage: sayProtection($app.stage, $app.protect) };
    for (const file of readdirSync(`${$cli.paths.root}/infra`)) {
      if (!file.endsWith(".ts")) continue;
      const { outputs: said } = await import(`./infra/${file}`);
      Object.assign(outputs, said);
    }
    return outputs;
  },
});
