import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { openTerminal } from "../../cli/terminal.ts";

const tty = () => Object.assign(new PassThrough(), { isTTY: true, columns: 80 });

/** Asks at a terminal of which `answer` is typed, and ends the input where it is `null`. */
const asked = async (answer: string | null, signal = new AbortController().signal): Promise<boolean> => {
  const [stdin, stdout, stderr] = [tty(), tty(), tty()];
  stdout.resume();
  stderr.resume();
  const terminal = openTerminal(stdin as never, stdout as never, stderr as never);
  const reply = terminal.ask("Go back?", signal);
  if (answer === null) stdin.end();
  else stdin.write(answer);
  return reply;
};

describe("a question", () => {
  it.each([
    ["y", "y\r", true],
    ["yes", "yes\r", true],
    ["Enter alone", "\r", false],
    ["n", "n\r", false],
    ["Ctrl-D", "\u0004", false],
    ["the end of the input", null, false],
  ])("answered by %s", async (_, typed, yes) => {
    expect(await asked(typed)).toBe(yes);
  });

  it("is no answer where the command is ended", async () => {
    await expect(asked("", AbortSignal.abort())).rejects.toThrow();
  });
});
