import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";

/** What the runner reads: commands in the output, outputs and the summary in files. Whatever is written is text to it. */
const data = (text) => String(text).replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
const property = (text) => data(text).replace(/:/g, "%3A").replace(/,/g, "%2C");

export function command(name, message, properties = {}) {
  const list = Object.entries(properties).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${property(value)}`]));
  process.stdout.write(`::${name}${list.length > 0 ? ` ${list.join(",")}` : ""}::${data(message)}\n`);
}

/** Shows what a program writes, in which the runner looks for no commands. @returns what ends that */
export function showAsText() {
  const word = randomUUID();
  process.stdout.write(`::stop-commands::${word}\n`);
  let isLineOpen = false;
  return {
    write: (text) => {
      process.stdout.write(text);
      if (text !== "") isLineOpen = !text.endsWith("\n");
    },
    end: () => process.stdout.write(`${isLineOpen ? "\n" : ""}::${word}::\n`),
  };
}

export function setOutputs(file, outputs) {
  if (!file) return;
  for (const [name, value] of Object.entries(outputs)) {
    const end = randomUUID();
    appendFileSync(file, `${name}<<${end}\n${value}\n${end}\n`);
  }
}

export const addSummary = (file, markdown) => {
  if (file) appendFileSync(file, `${markdown}\n`);
};

/** The error of a build where it is: at a line of the app, as far as that is known and there is such a file. */
export function annotate({ summary, place }, { directory, workspace }) {
  const file = place && [directory, workspace].map((folder) => relative(workspace, join(folder, place.file))).find(isIn(workspace));
  command("error", summary, {
    ...(file && { file, line: place.line, col: place.column ?? undefined }),
    title: "The build failed",
  });
}

const isIn = (workspace) => (file) => !isAbsolute(file) && !file.startsWith("..") && existsSync(join(workspace, file));
