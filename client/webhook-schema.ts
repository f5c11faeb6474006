import { GitCommit } from "../domain/deployment/shapes.ts";
import { type JsonSchema, namedSchemas } from "../domain/kernel/json-schema.ts";
import { TEST_TYPE } from "../domain/webhook/news.ts";
import { notableTypes } from "../domain/webhook/notable.ts";
import { StandardHeaders, StandardMessage } from "../domain/webhook/standard-message.ts";
import { EVENTS_TYPE, SubscriptionMessage } from "../domain/webhook/subscription-message.ts";
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

const eventsMessage: JsonSchema = {
  name: EVENTS_TYPE,
  title: EVENTS_TYPE,
  summary: "Up to a hundred events of the log, each as it is recorded",
  contentType: "application/json",
  headers: at("schemas", "StandardHeaders"),
  payload: at("schemas", "SubscriptionMessage"),
};

/** The signed messages that an endpoint of kind `standard` gets, and those of a subscription, as an AsyncAPI 3.0 document. */
export const webhookSchema = (): JsonSchema => {
  const types = [...notableTypes, TEST_TYPE];
  const schemas = namedSchemas(
    { StandardMessage, SubscriptionMessage, StandardHeaders, GitCommit },
    (name) => `#/components/schemas/${name}`,
    {
      target: "draft-7",
    },
  );
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Webhooks of Shiplog",
      version,
      description:
        "Messages of Standard Webhooks 1.0.0 (standardwebhooks.com), sent by POST to the endpoints that `shiplog webhooks add` was given, and the log as `shiplog subscriptions add` has it sent. Messages of endpoints come at least once and in any order: webhook-id names a repetition, data.version orders those of one data.stream. The event itself is read with data.id; its body: shiplog schema events.",
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
      subscription: {
        address: null,
        description:
          "The URL that `shiplog subscriptions add` was given. The log in its order, one request after another: any 2xx takes all of its events, 410 pauses it, everything else is sent again for ever. An event may come twice: its id names a repetition. Bodies of events: shiplog schema events.",
        messages: { [EVENTS_TYPE]: at("messages", EVENTS_TYPE) },
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
      feed: {
        action: "send",
        channel: { $ref: "#/channels/subscription" },
        summary: "Everything that the log has, from the subscription's place on",
        bindings: { http: { method: "POST", bindingVersion: "0.3.0" } },
        messages: [{ $ref: `#/channels/subscription/messages/${EVENTS_TYPE}` }],
      },
    },
    components: {
      messages: { ...Object.fromEntries(types.map((type) => [type, messageOf(type)])), [EVENTS_TYPE]: eventsMessage },
      schemas,
    },
  };
};
