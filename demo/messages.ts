import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import * as z from "zod";
import type { Api } from "../cli/api.ts";
import { type Received, startReceiver } from "./receiver.ts";

/** What the two endpoints of the demo were told. */
export type Heard = {
  /** with the URL as Shiplog shows it: without the part that is a secret */
  readonly endpoints: readonly { readonly kind: string; readonly url: string }[];
  /** the `text` of each message for Slack, in the order in which they came */
  readonly slack: readonly string[];
  /** signed messages that `standardwebhooks` accepted */
  readonly verified: number;
  /** why it, or what reads a message for Slack, did not accept the others */
  readonly refused: readonly string[];
  /** deliveries of which the log does not say that they arrived */
  readonly undelivered: readonly string[];
};

export type Listener = {
  /** Waits until everything up to the rollback was delivered, for half a minute at most, and tells what came. */
  heard(sequence: number, signal: AbortSignal): Promise<Heard>;
  close(): Promise<void>;
};

const PATIENCE_MS = 30_000;
const SlackText = z.object({ text: z.string().min(1) });
const Signed = z.object({ type: z.string(), data: z.object({ sequence: z.number().nullable() }) });

/** Starts a receiver and has both kinds of endpoint told what happens. Ready when every consumer knows them. */
export const listen = async (api: Api): Promise<Listener> => {
  const slack: string[] = [];
  const signed: z.infer<typeof Signed>[] = [];
  const refused: string[] = [];
  const readers = new Map<string, (received: Received) => void>();
  const receiver = await startReceiver((received) => {
    try {
      readers.get(received.path)?.(received);
    } catch (error) {
      refused.push((error as Error).message);
    }
  });
  const add = async (kind: "slack" | "standard") => {
    const { url, path } = receiver.address(kind);
    const { webhook, secret } = await api.addWebhook({ kind, url }, randomUUID());
    readers.set(path, ({ headers, body }) => {
      if (secret === null) slack.push(SlackText.parse(JSON.parse(body)).text);
      else signed.push(Signed.parse(new Webhook(secret).verify(body, headers)));
    });
    return webhook;
  };

  try {
    const added = [await add("slack"), await add("standard")];
    for (const until = Date.now() + PATIENCE_MS; (await api.webhooks()).length < added.length && Date.now() < until; ) await sleep(50);

    const deliveries = async () => (await Promise.all(added.map(({ id }) => api.deliveries(id, 200)))).flat();
    return {
      heard: async (sequence, signal) => {
        const whole = async (): Promise<boolean> =>
          signed.some(({ type, data }) => type === "ReleaseWentLive" && data.sequence === sequence) &&
          (await deliveries()).every(({ status }) => status === "delivered") &&
          slack.length >= signed.length;
        for (const until = Date.now() + PATIENCE_MS; !(await whole()) && Date.now() < until; ) await sleep(100, undefined, { signal });
        const missing = (await deliveries()).filter(({ status }) => status !== "delivered");
        return {
          endpoints: added.map(({ kind, url }) => ({ kind, url })),
          slack,
          verified: signed.length,
          refused,
          undelivered: missing.map(({ type, status, reason }) => `${type}: ${reason ?? status}`),
        };
      },
      close: receiver.close,
    };
  } catch (error) {
    await receiver.close();
    throw error;
  }
};
