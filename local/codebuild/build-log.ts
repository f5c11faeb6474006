import { StringDecoder } from "node:string_decoder";

export type LogLine = { readonly timestamp: number; readonly message: string };

/** A build's log: whole lines, without secret values, handed on in batches. */
export type BuildLog = {
  /** A line of CodeBuild's own: "[Container] 2026/11/23 10:00:00.123456 message". */
  say(message: string): void;
  /** What the commands print, in pieces of any size. */
  output(chunk: Buffer): void;
  /**
   * From now on these values appear as ***: those of 8 characters or more wherever they are, shorter ones only where no
   * letter or digit is beside them, and those of less than 4 not at all. They are no secret that could be kept, and
   * without them there would be holes in every word.
   */
  hide(secrets: readonly string[]): void;
  mask(text: string): string;
  /** Hands everything on, also a last line without an end. */
  flush(): Promise<void>;
};

const BATCH_MS = 100;
const MASKED_FROM = 4;
const MASKED_ANYWHERE_FROM = 8;
const MAX_LINE = 200_000; // CloudWatch Logs takes 256 KB

export function openLog(append: (lines: LogLine[]) => void | Promise<void>): BuildLog {
  const decoder = new StringDecoder("utf8");
  let secrets: string[] = [];
  let partial = "";
  let waiting: LogLine[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sent: Promise<void> = Promise.resolve();

  let patterns: (string | RegExp)[] = [];
  const mask = (text: string) => patterns.reduce<string>((masked, pattern) => masked.replaceAll(pattern, "***"), text);

  const send = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    sent = sent.then(async () => {
      try {
        await append(batch);
      } catch (error) {
        console.error(`codebuild: ${batch.length} log lines were not kept:`, error);
      }
    });
  };
  const add = (message: string) => {
    waiting.push({ timestamp: Date.now(), message: mask(message) });
    timer ??= setTimeout(send, BATCH_MS);
  };
  const endPartial = () => {
    if (partial !== "") add(partial);
    partial = "";
  };

  return {
    say(message) {
      endPartial();
      const now = new Date().toISOString();
      const stamp = `${now.slice(0, 10).replaceAll("-", "/")} ${now.slice(11, 23)}000`;
      add(`[Container] ${stamp} ${message}`);
    },
    output(chunk) {
      const lines = (partial + decoder.write(chunk)).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) add(line.replace(/\r$/, ""));
      if (partial.length > MAX_LINE) {
        // Masked before it is cut, and cut where no secret can be half over.
        const keep = Math.max(0, ...secrets.map((secret) => secret.length - 1));
        const masked = mask(partial);
        add(masked.slice(0, masked.length - keep));
        partial = keep === 0 ? "" : masked.slice(-keep);
      }
    },
    hide(values) {
      // A secret of several lines is printed line by line.
      const plain = values.flatMap((value) => [value, ...value.split(/\r?\n/).filter((line) => line.trim().length > 3)]);
      const all = plain.flatMap((value) => [value, inUrl(value), JSON.stringify(value).slice(1, -1)]);
      secrets = [...new Set([...secrets, ...all])].filter(({ length }) => length >= MASKED_FROM).sort((a, b) => b.length - a.length);
      patterns = secrets.map((secret) => (secret.length < MASKED_ANYWHERE_FROM ? alone(secret) : secret));
    },
    mask,
    async flush() {
      endPartial();
      send();
      await sent;
    },
  };
}

/** A text as it stands in an address. Half a character has no such form. */
const inUrl = (text: string): string => (text.isWellFormed() ? encodeURIComponent(text) : text);

/** A text where no letter or digit is beside it. */
const alone = (text: string): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}_])${text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")}(?![\\p{L}\\p{N}_])`, "gu");
