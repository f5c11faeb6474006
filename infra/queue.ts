import { deadLetterRetentionSeconds, queueRetentionSeconds } from "../blueprint/topology.ts";
import { unshared } from "./event-store.ts";

type QueueOptions = {
  readonly name: string;
  readonly deadLetters: string;
  readonly fifo?: boolean;
  readonly visibilitySeconds: number;
  /** receives after which SQS itself puts a message aside */
  readonly maxReceives: number;
};

/** SQS takes the creation of a queue that exists for granted. On the queue itself: what a component waits for, its parts do not. */
const declared = (name: string, messageRetentionSeconds: number) => (args: aws.sqs.QueueArgs, opts: $util.CustomResourceOptions) => {
  Object.assign(args, { name, messageRetentionSeconds, sqsManagedSseEnabled: true });
  opts.dependsOn = unshared.dependsOn;
  return undefined;
};

/** A queue and its dead letters, which are kept longer than the queue keeps a message. */
export const queueWithDeadLetters = (title: string, { name, deadLetters, fifo = false, visibilitySeconds, maxReceives }: QueueOptions) => {
  const dead = new sst.aws.Queue(`${title}Dead`, { fifo, transform: { queue: declared(deadLetters, deadLetterRetentionSeconds) } });
  const queue = new sst.aws.Queue(title, {
    fifo,
    visibilityTimeout: `${visibilitySeconds} seconds`,
    dlq: { queue: dead.arn, retry: maxReceives },
    transform: { queue: declared(name, queueRetentionSeconds) },
  });
  return { queue, dead };
};
