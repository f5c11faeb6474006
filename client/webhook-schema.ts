import { GitCommit } from "../domain/deployment/shapes.ts";
import { type JsonSchema, namedSchemas } from "../domain/kernel/json-schema.ts";
import { TEST_TYPE } from "../domain/webhook/news.ts";
import { notableTypes } from "../domain/webhook/notable.ts";
import { StandardHeaders, StandardMessage } from "../domain/webhook/standard-message.ts";
import { version } from "./version.ts";

const at = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });

const messageOf = (type: string): JsonSchema => ({
  name: type,
  title: type,
  summary: type === TEST_TYPE ? "Sent by hand, to try an endpoint out" : `Tells of the event ${type}`,
  contentType: "application/json",
  headers: at("schemas", "StandardHeaders"),
  payload: { allOf: [at("schemas", "StandardMessage"), { properties: { type: { const: type } } }] },
});

/** The signed messages that an endpoint of kind `standard` gets, as an AsyncAPI 3.0 document. */
export const webhookSchema = (): JsonSchema => {
  const types = [...notableTypes, TEST_TYPE];
  const schemas = namedSchemas({ StandardMessage, StandardHeaders, GitCommit }, (name) => `#/components/schemas/${name}`, {
    target: "draft-7",
  });
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Webhooks of Shiplog",
      version,
      description:
        "Messages of Standard Webhooks 1.0.0 (standardwebhooks.com), sent by POST to the endpoints that `shiplog webhooks add` was given. They come at least once and in any order: webhook-id names a repetition, data.version orders those of one data.stream. The event itself is read with data.id; its body: shiplog schema events.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    channels: {
      endpoint: {
        address: null,
        description:
          "The URL that the endpoint was added with. Any 2xx is an arrival, 410 disables it, everything else is tried again for three days.",
        messages: Object.fromEntries(types.map((type) => [type, at("messages", type)])),
      },
    },
    operations: {
      tell: {
        action: "send",
        channel: { $ref: "#/channels/endpoint" },
        summary: "One message for each change of a status that the endpoint wants to hear of",
        bindings: { http: { method: "POST", bindingVersion: "0.3.0" } },
        messages: types.map((type) => ({ $ref: `#/channels/endpoint/messages/${type}` })),
      },
    },
    components: { messages: Object.fromEntries(types.map((type) => [type, messageOf(type)])), schemas },
  };
};
