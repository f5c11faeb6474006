import { deadLetters } from "./operations/dead-letters.ts";
import { deployments } from "./operations/deployments.ts";
import { environments } from "./operations/environments.ts";
import { general } from "./operations/general.ts";
import type { Operation } from "./operations/operation.ts";
import { people } from "./operations/people.ts";
import { sessions } from "./operations/sessions.ts";
import { subscriptions } from "./operations/subscriptions.ts";
import { variableOperations } from "./operations/variables.ts";
import { webhooks } from "./operations/webhooks.ts";

/** Every route that the API has: the one table that its description is made of. A test compares it with the router's own. */
export const operations: readonly Operation[] = [
  ...general,
  ...deployments,
  ...environments,
  ...variableOperations,
  ...webhooks,
  ...subscriptions,
  ...sessions,
  ...people,
  ...deadLetters,
];
