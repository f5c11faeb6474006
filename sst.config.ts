/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const production = input?.stage === "production";
    return {
      name: "shiplog",
      home: "aws",
      // what is lost with a table or a bucket cannot be made again
      removal: production ? "retain" : "remove",
      protect: production,
      providers: { aws: { version: "7.20.0" } },
    };
  },
  /** Every file of infra declares one capability; the imports between them say what stands on what. */
  async run() {
    const { readdirSync } = await import("node:fs");
    const outputs = {};
    for (const file of readdirSync(`${$cli.paths.root}/infra`)) {
      if (!file.endsWith(".ts")) continue;
      const { outputs: said } = await import(`./infra/${file}`);
      Object.assign(outputs, said);
    }
    return outputs;
  },
});
