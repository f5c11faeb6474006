import { type JsonSchema, jsonSchema } from "../domain/kernel/json-schema.ts";
import { SitesFile } from "./sites.ts";

/** What the file is called in the package: `"$schema": "./node_modules/@shiplog-deploy/shiplog/sites.schema.json"`. */
export const SITES_SCHEMA_FILE = "sites.schema.json";

/** The sites file as JSON Schema. What it has no words for is in the descriptions; names that are too long or meet are refused later. */
export const sitesSchema = (): JsonSchema => ({
  title: "Shiplog's sites file",
  description: "What Shiplog deploys where. Names of resources that are too long, or that two sites would share, are refused besides",
  ...jsonSchema(SitesFile),
});
