import { beginsWithDay } from "../domain/kernel/calendar.ts";
import { usageError } from "./failure.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `10m`, `1h30m`, `500ms` → milliseconds; `undefined` where it is no duration. */
export const parseDuration = (text: string): number | undefined => {
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] as number),
    0,
  );
};

/** Longest wait that a timer can hold: about 24 days. */
const LONGEST = 2 ** 31 - 1;

/** The value of an option such as `--timeout 10m`, in milliseconds. */
export const durationOption = (option: string, text: string): number => {
  const duration = parseDuration(text);
  if (duration === undefined || duration === 0 || duration > LONGEST)
    throw usageError(`${option} "${text}" is not a duration.`, "Write a number and a unit, for example 90s, 10m or 1h30m.");
  return duration;
};

/** The last moment that can be written, in ms from 1970 in either direction. */
const FARTHEST = 8.64e15;

/** A moment from an option: an ISO 8601 time, or a duration counted from `now` in the direction given. Returns ISO 8601. */
export const momentOption = (option: string, text: string, now: number, direction: "ago" | "from now", also = ""): string => {
  const duration = parseDuration(text);
  const dated = /^\d{4}-\d\d-\d\d/.test(text);
  if (dated && !beginsWithDay(text))
    throw usageError(`${option} "${text}" names a day that is in no calendar.`, "Write for example 2026-11-23T14:00:00Z.");
  const away = duration === undefined ? undefined : now + (direction === "ago" ? -duration : duration);
  const moment = away ?? (dated ? Date.parse(text) : Number.NaN);
  if (away !== undefined && Math.abs(away) > FARTHEST)
    throw usageError(`${option} "${text}" is farther away than any calendar goes.`, "Write for example 2h or 30d.");
  if (Number.isNaN(moment))
    throw usageError(
      `${option} "${text}" is neither a time nor a duration.`,
      `Write for example 2026-11-23T14:00:00Z, or 2h for two hours ${direction} (ms, s, m, h, d)${also}.`,
    );
  // nothing happened before 1970: whoever writes 99999d means all of it
  return new Date(Math.max(0, moment)).toISOString();
};

const POSITION = /^\d{15}$/;

/** The same for a moment of the past, where a position of the log (15 digits) is one, too. @param also what else may be written */
export const pastOption = (option: string, text: string, now: number, also = ", or a position of the log"): string =>
  POSITION.test(text) ? text : momentOption(option, text, now, "ago", also);

/** The value of `--at`: how it was at a time that has come. */
export const atOption = (text: string, now: number): string => beforeNow("--at", text, now, "Leave it out to see how it is now.");

/** A moment that has come. @param hint what to write in place of one that has not */
export const beforeNow = (option: string, text: string, now: number, hint = "Write for example 2h or 30d."): string => {
  const moment = pastOption(option, text, now);
  if (msOf(moment) > now + CLOCKS_MS) throw usageError(`${option} "${text}" has not come yet.`, hint);
  return moment;
};
/** Clocks of this machine and of the engine's may differ by so much. */
const CLOCKS_MS = 300_000;

/** A moment as options give it, in milliseconds since 1970. */
export const msOf = (at: string): number => (POSITION.test(at) ? Number(at) : Date.parse(at));

/** Milliseconds for a person: `0.4s`, `42s`, `3m 05s`, `2h 10m`, `5d 3h`. */
export const showDuration = (milliseconds: number): string => {
  const ms = Math.max(0, milliseconds);
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  return `${Math.floor(minutes / 1_440)}d ${Math.floor((minutes % 1_440) / 60)}h`;
};

/** How long ago, in its largest unit: `3m ago`, `2h ago`, `5d ago`. */
export const showAge = (at: string, now: number): string => {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1_000));
  if (seconds < 60) return `${seconds}s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h ago`;
  return `${Math.floor(seconds / 86_400)}d ago`;
};

const pad = (value: number): string => String(value).padStart(2, "0");
