const COMMENT_OR_TEXT = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(["'`])((?:\\[\s\S]|(?!\1)[^\\])*)\1/g;

/** JavaScript without its comments. */
export const withoutComments = (code: string): string =>
  code.replace(COMMENT_OR_TEXT, (all, quote?: string) => (quote === undefined ? " " : all));

/** JavaScript without its comments, and with no text in it but those of one word: what is left is code. */
export const withoutWords = (code: string): string =>
  code.replace(COMMENT_OR_TEXT, (_all, quote?: string, text = "") =>
    quote === undefined ? " " : `"${/^\w+(-\w+)*$/.test(text) ? text : ""}"`,
  );
