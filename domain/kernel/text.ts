/**
 * Text from people and programs (a commit message, a reason, a build's line): once at the door, where it is made fit to be
 * stored, and once at each way out, for what is in older logs.
 */

/* biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what is looked for */
/** What moves a cursor, sets a title or a colour in a terminal (ECMA-48): CSI, OSC and other strings, two-character escapes. */
const SEQUENCE =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\u009d]*(?:\u0007|\u001b\\|\u009c)|(?:\u001b[PX^_]|[\u0090\u0098\u009e\u009f])[^\u001b\u0090\u0098\u009c\u009e\u009f]*(?:\u001b\\|\u009c)|\u001b[ -/]*[0-Z\\^-~]/gu;
const LINE_END = /\r\n?|[\u0085\u2028\u2029]/gu;
/** All other control characters, but newline and tab. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu;
/** Overrides, embeddings and isolates of writing direction, which make a line read otherwise than it is. Marks stay: they only hint. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/gu;
/** What shows nothing, or shows the rest otherwise; the joiners of emoji and of Persian or Indic words stay. */
const HIDDEN = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/* biome-ignore-end lint/suspicious/noControlCharactersInRegex: control characters are what is looked for */

/**
 * Text as it is stored: well-formed Unicode (half a character becomes U+FFFD), without control characters, terminal
 * sequences and changes of writing direction. Newlines (all kinds as `\n`) and tabs are kept.
 */
export const storable = (text: string): string =>
  text.toWellFormed().replace(SEQUENCE, "").replace(LINE_END, "\n").replace(CONTROL, "").replace(DIRECTION, "");

/** Text for one line before a person's eyes: nothing in it moves, hides or turns what stands around it; what is hidden is named `<U+202E>`. */
export const printable = (text: string): string =>
  text
    .toWellFormed()
    .replace(SEQUENCE, "")
    .replace(CONTROL, " ")
    .replaceAll("\n", " ")
    .replace(HIDDEN, (character) => `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`);

/** The first so many UTF-16 units of a text; never half a character. */
export const firstOf = (text: string, most: number): string =>
  text.length <= most ? text : text.slice(0, most).replace(/[\ud800-\udbff]$/, "");

/** The same, with an ellipsis in place of what is missing. */
export const clipped = (text: string, most: number): string => (text.length <= most ? text : `${firstOf(text, most - 1)}…`);

// what JSON.stringify leaves as it is
const UNPRINTABLE = new RegExp(`[\\u007f-\\u009f]|${HIDDEN.source}`, "gu");

/** JSON of the very same value in which nothing can act on a terminal: what does not print is escaped (`\u202e`). */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) =>
    character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
