import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";

/** `timestamp` in milliseconds. */
export type LogLine = { readonly timestamp: number; readonly message: string };
export type StoredLine = LogLine & { readonly ingestionTime: number };

export type LogStore = {
  createGroup(group: string): boolean;
  createStream(group: string, stream: string): boolean;
  /** Makes the group and the stream where they are missing. The lines are in the file when this returns. */
  append(group: string, stream: string, lines: readonly LogLine[]): void;
  /** In the order they were appended; `undefined` where there is no such stream. */
  read(group: string, stream: string): StoredLine[] | undefined;
  groups(): string[];
  /** `undefined` where there is no such group. */
  streams(group: string): string[] | undefined;
  removeGroup(group: string): boolean;
};

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
    createGroup(group) {
      if (existsSync(groupPath(group))) return false;
      mkdirSync(groupPath(group), { recursive: true });
      return true;
    },
    createStream(group, stream) {
      if (existsSync(streamPath(group, stream))) return false;
      appendFileSync(streamPath(group, stream), "");
      return true;
    },
    append(group, stream, lines) {
      const path = streamPath(group, stream);
      mkdirSync(groupPath(group), { recursive: true });
      mend(path);
      const ingestionTime = Date.now();
      const text = lines.map(({ timestamp, message }) => `${JSON.stringify({ timestamp, message, ingestionTime })}\n`);
      appendFileSync(path, text.join(""));
    },
    read(group, stream) {
      const path = streamPath(group, stream);
      return existsSync(path) ? readFileSync(path, "utf8").split("\n").flatMap(parseLine) : undefined;
    },
    groups: () => readdirSync(directory).map(decodeURIComponent),
    streams(group) {
      if (!existsSync(groupPath(group))) return undefined;
      return readdirSync(groupPath(group)).map((name) => decodeURIComponent(name.replace(/\.jsonl$/, "")));
    },
    removeGroup(group) {
      const there = existsSync(groupPath(group));
      rmSync(groupPath(group), { recursive: true, force: true });
      return there;
    },
  };
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
