import { text } from "node:stream/consumers";
import type { Context } from "./context.ts";
import { usageError } from "./failure.ts";

/** The longest that anything read here may be. */
const LONGEST = 4_000;

/**
 * A secret that was given as an argument, or `-`: then the first line of stdin, which other users of the machine and the
 * shell's history do not see. @throws CliError (usage) where there is none
 */
export async function readSecret(given: string, what: string, { terminal }: Context): Promise<string> {
  if (given !== "-") return given;
  if (process.stdin.isTTY) terminal.note(`Paste the ${what}, then press Enter and Ctrl-D.`);
  const [line = ""] = (await text(process.stdin)).trim().split("\n");
  if (line.trim() === "" || line.length > LONGEST) throw usageError(`No ${what} came by stdin.`, "Give it as the first line.");
  return line.trim();
}
