import type { Context } from "hono";
import { webhookStream } from "../../domain/kernel/identity.ts";
import type { WebhookCommand } from "../../domain/webhook/commands.ts";
import type { Because } from "../../engine/log/execute.ts";
import { addressOf, masked, Refused, readTarget } from "../../engine/webhooks/target.ts";
import { commandOf, type Env } from "./caller.ts";
import { idOfCommand } from "./command-id.ts";
import type { Ports } from "./ports.ts";
import { Problem, refused } from "./problem.ts";

type Add = Omit<Extract<WebhookCommand, { type: "AddWebhook" }>, "type" | "maskedUrl">;

/** Commands to whoever is sent something outside, webhooks and subscriptions. The URL comes in here once, and never goes out again. */
export const endpointCommands = (ports: Ports) => {
  const { secrets, rules } = ports.webhooks;
  /** Whoever finds it removed leaves no secret: added once more, it was given one. */
  const give = async (because: Because, id: string, command: WebhookCommand, what: string): Promise<void> => {
    const { refusal, state } = await ports.aggregates.webhook.execute(id, command, because);
    if (state.removed) await secrets.forget(id);
    if (refusal !== undefined) throw refused(`${id} cannot be ${what}`, refusal);
  };
  // whoever is cut off leaves a note that leads the reconciler to what is left
  const note = (id: string) => ports.views.noteBegun(webhookStream(id), ports.clock.now());
  const vet = async (text: string): Promise<URL> => {
    try {
      const url = readTarget(text, rules);
      await addressOf(url, rules);
      return url;
    } catch (error) {
      if (error instanceof Refused) throw new Problem(400, "url.refused", `This URL cannot be used: ${error.message}.`);
      throw error;
    }
  };
  return {
    becauseOf: (context: Context<Env>) => commandOf(context, ports.views),
    give,
    note,
    /** Adds one that is sent to at this URL, once that was vetted. @returns its id, and its signing secret where it has one */
    add: async (context: Context<Env>, text: string, wanted: Add): Promise<{ id: string; secret: string | null }> => {
      const url = await vet(text);
      const because = await commandOf(context, ports.views);
      const id = idOfCommand("wh", because.cause);
      // first the note, then the secret, then the event: no secret is left behind, and an endpoint in the log can be sent to
      await note(id);
      const signing = wanted.kind === "slack" ? [] : [{ secret: ports.chance.signingSecret(), until: null, cause: because.cause }];
      const kept = await secrets.create(id, { url: text, signing });
      await give(because, id, { type: "AddWebhook", ...wanted, maskedUrl: masked(url) }, "added");
      return { id, secret: kept.signing[0]?.secret ?? null };
    },
  };
};
