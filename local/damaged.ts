import { readFileSync } from "node:fs";

/** A file of the data folder that cannot be read any more: which one, why, and what the person can do about it. */
export class Damaged extends Error {
  override readonly name = "Damaged";
  readonly file: string;
  /** a full sentence without its stop */
  readonly next: string;
  constructor(file: string, why: string, next: string, options: { cause?: unknown } = {}) {
    super(`${file} cannot be used: ${why}`, options);
    this.file = file;
    this.next = next;
  }
}

const WHY: Readonly<Record<string, string>> = {
  EISDIR: "it is a folder",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
};

/**
 * A JSON document of the data folder; `undefined` where there is none yet.
 * `fits` says whether it is what Shiplog writes there, `next` what to do where it is not.
 * @throws Damaged
 */
export function readDocument(file: string, fits: (value: unknown) => boolean, next: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new Damaged(file, WHY[code] ?? message, next, { cause });
  }
  const value = parsed(text);
  if (fits(value)) return value;
  const why = text.trim() === "" ? "it is empty" : value === undefined ? "it is not JSON any more" : "it is not what Shiplog writes there";
  throw new Damaged(file, why, next);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether it is an object with these names in it. */
export const hasAll =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value) && names.every((name) => Object.hasOwn(value, name));
