import { Argument } from "commander";
import type { Register } from "../context.ts";

/** Each is made when it is asked for: no other command need load it. */
const schemas = {
  api: async () => (await import("../../client/openapi.ts")).openApi(),
  events: async () => (await import("../../client/event-schema.ts")).eventSchema(),
  webhooks: async () => (await import("../../client/webhook-schema.ts")).webhookSchema(),
  sites: async () => (await import("../../blueprint/sites-schema.ts")).sitesSchema(),
};

/** Prints what programs go by. It is of this command's version, and no engine is asked. */
export const schemaCommand: Register = (program, run) =>
  void program
    .command("schema")
    .description("print a schema: of the API (OpenAPI), events and the sites file (JSON Schema), webhooks (AsyncAPI)")
    .addArgument(new Argument("<of>", "what it is of").choices(Object.keys(schemas)))
    .action((of: keyof typeof schemas) =>
      run(async ({ terminal }) => {
        terminal.document(await schemas[of]());
        return undefined;
      }),
    );
