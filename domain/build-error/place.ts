/** Where in the app an error is; lines and columns count from 1. */
export type ErrorPlace = { readonly file: string; readonly line: number; readonly column: number | null };

/** The place that the summary of a build's error begins with; `undefined` where it names none of a file's lines. */
export function placeIn(summary: string): ErrorPlace | undefined {
  const [, file, line, column] = /^([^\s:][^:]*\.\w{1,4}):(\d{1,7})(?::(\d{1,5}))?: /.exec(summary) ?? [];
  if (file === undefined) return undefined;
  return { file, line: Number(line), column: column === undefined ? null : Number(column) };
}
