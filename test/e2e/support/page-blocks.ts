/** A line of shell on a page, with the lines that a backslash joins to it. */
export type PageCommand = {
  /** file and line, for messages */
  readonly where: string;
  readonly text: string;
  /** the exit code that the page gives it: `# ends with 7`, else 0 */
  readonly endsWith: number;
};

export type Block = { readonly language: string; readonly line: number; readonly text: string };

/** The blocks of code of a page, with the line of the page on which each begins. */
export const blocksOf = (markdown: string): Block[] =>
  [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ index, 1: language = "", 2: text = "" }) => ({
    language,
    line: markdown.slice(0, index).split("\n").length + 1,
    text,
  }));

/** The commands of a block of shell, in order. */
export const commandsOf = (page: string, { line, text }: Block): PageCommand[] => {
  const commands: PageCommand[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const begun = at;
    let command = lines[at] ?? "";
    while (command.endsWith("\\") && at + 1 < lines.length) command += `\n${lines[++at]}`;
    if (!/^\s*(#.*)?$/.test(command))
      commands.push({
        where: `${page}:${line + begun}`,
        text: command,
        endsWith: Number(/#.*\bends with (\d+)\b/.exec(command)?.[1] ?? 0),
      });
  }
  return commands;
};

/** A command as a message or a table names it: one blank where the page lines its comments up with many. */
export const plainly = (text: string): string => text.replace(/\\\n/g, " ").replace(/\s+/g, " ").trim();
