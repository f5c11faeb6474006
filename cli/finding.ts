import { CliError, exit } from "./failure.ts";
import { plain, type Terminal } from "./terminal.ts";

/**
 * What was seen of an app before it is deployed. An `error` keeps it from being built or going live; a `warning` may surprise
 * somebody; `unchecked` is what could not be looked at, and why.
 */
export type Finding = {
  readonly level: "error" | "warning" | "unchecked";
  /** for programs: `lockfile.missing` */
  readonly code: string;
  /** what is so, where, and why it matters */
  readonly message: string;
  /** the command or the edit that mends it */
  readonly mend?: string;
};

export const errorAt = (code: string, message: string, mend: string): Finding => ({ level: "error", code, message, mend });
export const warningAt = (code: string, message: string, mend: string): Finding => ({ level: "warning", code, message, mend });
export const unchecked = (code: string, message: string, mend?: string): Finding => ({
  level: "unchecked",
  code,
  message,
  ...(mend !== undefined && { mend }),
});

export const isError = ({ level }: Finding): boolean => level === "error";

const SIGNS = { error: ["✗", "red"], warning: ["!", "yellow"], unchecked: ["-", "dim"] } as const;
const ORDER: readonly Finding["level"][] = ["error", "warning", "unchecked"];

/** Errors first; each with what mends it below. */
export const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level));

export const findingLines = ({ level, message, mend }: Finding, paint: Terminal["paint"]): string[] => {
  const [sign, style] = SIGNS[level];
  return [`${paint(style, sign)} ${plain(message)}`, ...(mend === undefined ? [] : [`    ${plain(mend)}`])];
};

/** What keeps an app from being deployed, as one end of a command: all of it at once. */
export function refusalOf(errors: readonly Finding[], app: string): CliError {
  const [first, ...others] = errors;
  const lines = errors.flatMap((one) => findingLines(one, (_style, text) => text));
  const [message, next] =
    first !== undefined && others.length === 0
      ? [first.message, first.mend]
      : [`${errors.length} things keep ${app} from being deployed:\n${lines.join("\n")}`, "Nothing was deployed."];
  return new CliError(exit.usage, "app.unfit", message, { ...(next !== undefined && { next }), findings: errors });
}
