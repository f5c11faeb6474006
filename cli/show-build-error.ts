import type { BuildError } from "../domain/build-error/find-build-error.ts";
import { plain, type Terminal } from "./terminal.ts";

/** The error of a build with the lines around it; a mark stands before the line that says it. */
export function showBuildError(terminal: Terminal, { context, marked, line }: BuildError): void {
  terminal.note(`\nThe build's error, at line ${line + 1} of its log:`);
  for (const [index, text] of context.entries())
    terminal.note(index === marked ? terminal.paintNote("red", `> ${plain(text)}`) : `  ${plain(text)}`.trimEnd());
}

/** Where the rest of it is. */
export const wholeLog = (id: string): string => `Whole log: shiplog logs ${id}`;
