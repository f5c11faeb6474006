import { appendFileSync, closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";

/** `timestamp` in milliseconds. */
export type LogLine = { readonly timestamp: number; readonly message: string };
export type StoredLine = LogLine & { readonly ingestionTime: number };

/** Lines of a stream, and the bytes of its file that they lie in: the next page begins at `end`, the one before ends at `start`. */
export type LogPage = { readonly lines: readonly StoredLine[]; readonly start: number; readonly end: number };
/** Where a page begins (`from`) or ends (`to`), in bytes; without a number at the stream's beginning or end. */
export type PageAt = { readonly from: number } | { readonly to: number | undefined };

export type LogStore = {
  /** Makes the group and the stream where they are missing. The lines are in the file when this returns. */
  append(group: string, stream: string, lines: readonly LogLine[]): void;
  /**
   * At most so many lines in the order they were appended, and at most a megabyte of the file, however long it is;
   * `undefined` where there is no such stream.
   */
  page(group: string, stream: string, at: PageAt, limit: number): Promise<LogPage | undefined>;
  hasGroup(group: string): boolean;
};

/** Of a file that one page reads: as much as CloudWatch Logs answers with. */
const PAGE_BYTES = 1024 * 1024;
/** Of a file that is read at once: what a thousand usual lines take. A longer line takes as many as it needs. */
export const CHUNK_BYTES = 128 * 1024;
const NEWLINE = 0x0a;

/** Log streams as files that are only appended to: one directory per group, one JSON line per event. */
export function openLogStore(directory: string): LogStore {
  mkdirSync(directory, { recursive: true });
  const groupPath = (group: string): string => join(directory, fileName(group));
  const streamPath = (group: string, stream: string): string => join(groupPath(group), `${fileName(stream)}.jsonl`);
  const mended = new Set<string>();

  /** A process that was killed may have left half a line: it must not swallow the next one. */
  function mend(path: string): void {
    if (mended.has(path)) return;
    mended.add(path);
    if (!existsSync(path)) return;
    const file = openSync(path, "r");
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    if (size > 0) readSync(file, last, 0, 1, size - 1);
    closeSync(file);
    if (size > 0 && last.toString() !== "\n") appendFileSync(path, "\n");
  }

  return {
    append(group, stream, lines) {
      const path = streamPath(group, stream);
      mkdirSync(groupPath(group), { recursive: true });
      mend(path);
      const ingestionTime = Date.now();
      const text = lines.map(({ timestamp, message }) => `${JSON.stringify({ timestamp, message, ingestionTime })}\n`);
      appendFileSync(path, text.join(""));
    },
    async page(group, stream, at, limit) {
      const path = streamPath(group, stream);
      if (!existsSync(path)) return undefined;
      const file = await open(path, "r");
      try {
        const { size } = await file.stat();
        return "from" in at
          ? await forward(file, Math.min(at.from, size), limit)
          : await backward(file, Math.min(at.to ?? size, size), limit);
      } finally {
        await file.close();
      }
    },
    hasGroup: (group) => existsSync(groupPath(group)),
  };
}

/** Whole lines from a place on, chunk by chunk: between two chunks others have their turn. Half a line at the end is left for later. */
async function forward(file: FileHandle, start: number, limit: number): Promise<LogPage> {
  const lines: StoredLine[] = [];
  let end = start;
  let rest = Buffer.alloc(0);
  for (let read = start; lines.length < limit && end - start < PAGE_BYTES; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, read);
    if (bytesRead === 0) break;
    read += bytesRead;
    const text = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    let from = 0;
    for (let to = text.indexOf(NEWLINE); to >= 0 && lines.length < limit; to = text.indexOf(NEWLINE, from)) {
      lines.push(...parseLine(text.toString("utf8", from, to)));
      from = to + 1;
    }
    end += from;
    rest = text.subarray(from);
  }
  return { lines, start, end };
}

/** The last whole lines before a place, chunk by chunk from its end on. Half a line at the end is passed over. */
async function backward(file: FileHandle, before: number, limit: number): Promise<LogPage> {
  const lines: StoredLine[] = [];
  let end = before;
  let start = end;
  let rest = Buffer.alloc(0);
  for (let read = before; read > 0 && lines.length < limit && end - start < PAGE_BYTES; ) {
    const bytes = Math.min(CHUNK_BYTES, read);
    read -= bytes;
    const { buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, read);
    const text = Buffer.concat([buffer, rest]);
    let to = text.length;
    if (lines.length === 0) {
      to = text.lastIndexOf(NEWLINE) + 1;
      end = read + to;
    }
    // each line ends with its line break, and begins behind the one before or where the file does
    while (to > 0 && lines.length < limit) {
      const lineBreak = to < 2 ? -1 : text.lastIndexOf(NEWLINE, to - 2);
      if (lineBreak < 0 && read > 0) break;
      lines.push(...parseLine(text.toString("utf8", lineBreak + 1, to)));
      to = lineBreak + 1;
    }
    start = read + to;
    rest = text.subarray(0, to);
  }
  return { lines: lines.reverse(), start, end };
}

function parseLine(line: string): StoredLine[] {
  try {
    return [JSON.parse(line) as StoredLine];
  } catch {
    return []; // empty, or cut off by a kill
  }
}

/** A name as one segment of a path: `/aws/codebuild/web` and `..` stay inside the directory. */
const fileName = (name: string): string => encodeURIComponent(name).replace(/^\.+/, (dots) => dots.replaceAll(".", "%2E"));
