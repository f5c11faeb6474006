import { parseEnv } from "node:util";

/** Names and values of a dotenv file. A `\$` is a `$`, as for Next.js; what it would expand (`$OTHER`) stays as it is written. */
export const readDotenv = (text: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(parseEnv(text.replace(/^\uFEFF/, ""))).map(([name, value = ""]) => [name, value.replaceAll("\\$", "$")]),
  );

const QUOTES = ["'", '"', "`"];

/**
 * A dotenv file that is read as these values again, by Next.js too. `unwritten`: names whose values no such file can hold
 * (with all three kinds of quotes, or with carriage returns).
 */
export const writeDotenv = (values: Readonly<Record<string, string>>): { text: string; unwritten: string[] } => {
  const lines: string[] = [];
  const unwritten: string[] = [];
  for (const [name, value] of Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const line = QUOTES.map((quote) => `${name}=${quote}${value.replaceAll("$", "\\$")}${quote}`).find((one) => holds(one, name, value));
    if (line === undefined) unwritten.push(name);
    else lines.push(line);
  }
  return { text: lines.map((line) => `${line}\n`).join(""), unwritten };
};

/** Whatever rules of quotes there are: it is looked at whether it is read again. */
const holds = (line: string, name: string, value: string): boolean => {
  const read = Object.entries(readDotenv(`${line}\nA_LAST_LINE=1\n`));
  return read.length === 2 && read.some(([one, found]) => one === name && found === value);
};
