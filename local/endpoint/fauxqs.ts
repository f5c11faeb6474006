import { statSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { buildApp } from "fauxqs";
import { Damaged } from "../damaged.ts";
import { isDiskFull } from "./fault.ts";

/** One SQS queue as fauxqs holds it. */
export type Queue = {
  url: string;
  readonly name: string;
  readonly arn: string;
  /** messages that were received and neither deleted nor made visible again, by receipt handle */
  readonly inflightMessages: ReadonlyMap<string, unknown>;
  persistence?: unknown;
};

export type SqsStore = {
  readonly queues: Map<string, Queue>;
  region?: string;
  persistence?: unknown;
  allQueues(): Iterable<Queue>;
  getQueueByArn(arn: string): Queue | undefined;
  buildQueueUrl(name: string): string;
  shutdown(): void;
};

export type S3Object = { readonly key: string; readonly etag: string };
export type S3Store = {
  readonly buckets: Map<string, Map<string, S3Object>>;
  persistence?: unknown;
  listObjects(bucket: string, options?: ListOptions): Listing;
};
export type ListOptions = { prefix?: string; delimiter?: string; maxKeys?: number; startAfter?: string; marker?: string };
export type Listing = { objects: S3Object[]; commonPrefixes: string[]; isTruncated: boolean };

type Persistence = {
  db: DatabaseSync;
  updateMessageReady(messageId: string): void;
  load(sqs: SqsStore, sns: unknown, s3: S3Store): void;
  close(): void;
};

export type Fauxqs = {
  readonly app: ReturnType<typeof buildApp>;
  readonly sqs: SqsStore;
  readonly s3: S3Store;
  /** `SendMessage` without HTTP; throws fauxqs' `SqsError`. The message is on disk when it returns. */
  sendMessage(input: object): void;
  close(): Promise<void>;
};

/**
 * fauxqs' SQS and S3 on a directory (one SQLite file), as a Fastify application that listens nowhere.
 * Its public `startFauxqs` binds every interface, so its parts are put together here in the same way; they are not among
 * its exports and are taken from the files of the pinned version.
 */
export async function openFauxqs(dataDir: string): Promise<Fauxqs> {
  const part = partsOf("fauxqs");
  const [{ buildApp }, { SqsStore }, { SnsStore }, { S3Store }, { PersistenceManager }, { sendMessage }, sqsTypes] = await Promise.all([
    import("fauxqs"),
    part<{ SqsStore: new () => SqsStore }>("sqs/sqsStore.js"),
    part<{ SnsStore: new () => object }>("sns/snsStore.js"),
    part<{ S3Store: new () => S3Store }>("s3/s3Store.js"),
    part<{ PersistenceManager: new (dataDir: string) => Persistence }>("persistence.js"),
    part<{ sendMessage(input: object, store: SqsStore): void }>("sqs/actions/sendMessage.js"),
    part<{ INVALID_MESSAGE_BODY_CHAR: RegExp }>("sqs/sqsTypes.js"),
  ]);
  allowEveryCharacter(sqsTypes.INVALID_MESSAGE_BODY_CHAR);

  const [sqs, sns, s3] = [new SqsStore(), new SnsStore(), new S3Store()];
  const persistence = opened(join(dataDir, "fauxqs.db"), (file) => {
    // SQLite takes an empty file for a new database, and everything that was in it would be gone without a word
    if (statSync(file, { throwIfNoEntry: false })?.size === 0) throw new Error("it is empty");
    return new PersistenceManager(dataDir);
  });
  // A commit is in the file, though not forced to the disk: it survives a killed process, not a power cut.
  persistence.db.exec("PRAGMA synchronous = NORMAL");
  keepReceiveCounts(persistence);
  // before the stores write through, or loading would write it all again
  opened(join(dataDir, "fauxqs.db"), () => persistence.load(sqs, sns, s3));
  for (const store of [sqs, sns, s3]) Object.assign(store, { persistence });
  for (const queue of sqs.allQueues()) queue.persistence = persistence;
  sortByBytes(s3);

  const app = buildApp({ logger: false, stores: { sqsStore: sqs, snsStore: sns, s3Store: s3 } as never });
  return {
    app,
    sqs,
    s3,
    sendMessage: (input) => sendMessage(input, sqs),
    async close() {
      await app.close();
      persistence.close();
    },
  };
}

/** @throws Damaged where the database cannot be opened or read */
function opened<T>(file: string, open: (file: string) => T): T {
  try {
    return open(file);
  } catch (cause) {
    if (isDiskFull(cause)) throw cause;
    throw new Damaged(
      file,
      `its database cannot be opened (${(cause as Error).message})`,
      "Restore it from a copy, or delete it: queues, sources, builds and files of releases begin empty then, and each site must be deployed again",
      { cause },
    );
  }
}

/** Imports files of a package's `dist` that its `exports` do not name. */
function partsOf(name: string): <Module>(file: string) => Promise<Module> {
  const found = findPackageJSON(name, import.meta.url);
  if (!found) throw new Error(`The package ${name} is not installed: run npm ci.`);
  return (file) => import(pathToFileURL(join(dirname(found), "dist", file)).href);
}

/** fauxqs writes NULL for the receive count of a message that is made visible again, which its own table refuses. */
function keepReceiveCounts(persistence: Persistence): void {
  const ready = persistence.db.prepare("UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL WHERE message_id = ?");
  persistence.updateMessageReady = (messageId) => void ready.run(messageId);
}

/** fauxqs tests UTF-16 halves one by one and so refuses every emoji; SQS allows all of U+10000 to U+10FFFF. */
function allowEveryCharacter(invalid: RegExp): void {
  const really = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
  invalid.test = (text) => really.test(text);
}

/** fauxqs sorts keys by the locale but pages by code units, and so loses keys between two pages. S3 sorts by UTF-8 bytes. */
function sortByBytes(s3: S3Store): void {
  const list = s3.listObjects.bind(s3);
  s3.listObjects = (bucket, options = {}) => {
    const objects = s3.buckets.get(bucket);
    return objects ? listSorted(objects, options) : list(bucket, options);
  };
}

function listSorted(all: Map<string, S3Object>, options: ListOptions): Listing {
  const { prefix = "", delimiter, maxKeys = 1000, startAfter = options.marker ?? "" } = options;
  const keys = [...all.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
  const objects: S3Object[] = [];
  const prefixes = new Set<string>();
  for (const key of keys) {
    const end = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    const shown = delimiter && end >= 0 ? key.slice(0, end + delimiter.length) : key;
    if (prefixes.has(shown) || (startAfter && byBytes(shown, startAfter) <= 0)) continue;
    if (objects.length + prefixes.size >= maxKeys) return { objects, commonPrefixes: [...prefixes], isTruncated: true };
    if (shown !== key) prefixes.add(shown);
    else objects.push(all.get(key) as S3Object);
  }
  return { objects, commonPrefixes: [...prefixes], isTruncated: false };
}

const byBytes = (a: string, b: string): number => {
  if (a === b) return 0;
  return isPlain(a) && isPlain(b) ? (a < b ? -1 : 1) : Buffer.compare(Buffer.from(a), Buffer.from(b));
};
/** Without surrogates, the order of code units is the order of the bytes. */
const isPlain = (text: string): boolean => !/[\uD800-\uDFFF]/.test(text);
