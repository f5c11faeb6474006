import { Damaged } from "../damaged.ts";
import { AwsError } from "../http.ts";

/** SQLite's code for a full disk. */
const SQLITE_FULL = 13;
/** LevelDB tells it in words alone. */
const WORDS = /no space left on device|database or disk is full/i;

/** Whether an error, or what caused it, is a full disk. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code, errcode, message } = cause as Error & { code?: string; errcode?: number };
    if (code === "ENOSPC" || code === "EDQUOT" || errcode === SQLITE_FULL || WORDS.test(message)) return true;
  }
  return false;
}

/** What the person at the engine and the one at the command line read alike. */
const DISK_FULL =
  "No space is left on the disk that holds the engine's data. Free some, then start the engine again: nothing that it confirmed is lost.";
const SAID_EVERY_MS = 10_000;
let saidAt = Number.NEGATIVE_INFINITY;

/** An error as the endpoint answers it. What is no `AwsError` is a fault of its own, and told on stderr: a full disk (507) and a damaged file in one sentence, now and then. */
export function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (error instanceof Damaged) return damaged(error);
  if (!isDiskFull(error)) {
    console.error("local endpoint:", error);
    return new AwsError("InternalFailure", 500, error instanceof Error ? error.message : String(error));
  }
  sayNowAndThen(DISK_FULL);
  return new AwsError("InsufficientStorage", 507, DISK_FULL);
}

function damaged({ message, next }: Damaged): AwsError {
  const text = `${message}. ${next}.`;
  sayNowAndThen(text);
  return new AwsError("InternalFailure", 500, text);
}

function sayNowAndThen(text: string): void {
  const now = performance.now();
  if (now - saidAt < SAID_EVERY_MS) return;
  saidAt = now;
  console.error(text);
}
