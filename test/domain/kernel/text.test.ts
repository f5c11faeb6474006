// biome-ignore-all lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
import fc from "fast-check";
import { expect, it } from "vitest";
import { clipped, jsonText, printable, storable } from "../../../domain/kernel/text.ts";

it.each([
  ["a title and colours of a terminal", "a\x1b]0;owned\x07b\x1b[31mc\x1b[0m\x9b2Jd", "abcd"],
  ["a sequence that never ends", "a\x1b]0;title", "a]0;title"],
  ["control characters", "a\x00b\x07c\x7fd\x85e", "abcd\ne"],
  ["a change of writing direction", "safe\u202eexe.gpj\u2066!", "safeexe.gpj!"],
  ["half a character", "a\ud83d b\udc4d", "a\ufffd b\ufffd"],
  ["every kind of newline", "a\r\nb\rc\u2028d", "a\nb\nc\nd"],
])("what is stored has no %s", (_, text, stored) => {
  expect(storable(text)).toBe(stored);
});

it.each(["fix: ünïcode, 日本語, עברית, نص, 👩‍💻 👍🏽", "two\nlines\tand a tab", "می‌خواهم"])(
  "what people write is stored as it is: %j",
  (text) => {
    expect(storable(text)).toBe(text);
  },
);

it("a line before a person's eyes names what is hidden in it, and stays one line", () => {
  expect(printable("safe\u202egpj.exe\u200b")).toBe("safe<U+202E>gpj.exe<U+200B>");
  expect(printable("a\nb\rc\x1b[2Jd\x08")).toBe("a b cd ");
  expect(printable("👩‍💻 日本語")).toBe("👩‍💻 日本語");
});

it("a text that is cut ends in a whole character", () => {
  expect(clipped("abc", 3)).toBe("abc");
  expect(clipped("ab👍c", 4)).toBe("ab…");
  expect(clipped("ab👍cd", 5)).toBe("ab👍…");
});

/** Texts that are mostly what should not be there. */
const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "\x1b",
      "[",
      "]",
      "0",
      ";",
      "m",
      "\x07",
      "\\",
      "\x9b",
      "\x9d",
      "\x90",
      "\x9c",
      "\u202e",
      "\u2066",
      "\ud83d",
      "\udc4d",
      "\r",
      "\n",
      "\u{e0041}",
    ),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

it("whatever comes, nothing that acts is stored, shown or written, and a second time changes nothing", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const stored = storable(text);
      expect(stored).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      expect(stored.isWellFormed()).toBe(true);
      expect(storable(stored)).toBe(stored);
      const shown = printable(text);
      expect(shown).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
      expect(printable(shown)).toBe(shown);
      const written = jsonText({ text });
      expect(written).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069]/);
      expect(JSON.parse(written)).toEqual({ text });
    }),
  );
});
