import { stripVTControlCharacters, styleText } from "node:util";
import { describe, expect, it } from "vitest";
import { list, table } from "../../cli/terminal.ts";

const HEAD = ["ID", "STATUS", "WHERE", "SEQ", "AGE", "TOOK", "BY", "COMMIT"];
const SPARE = ["TOOK", "SEQ", "BY", "AGE", "WHERE"];
const rows = [
  HEAD,
  [
    "dep_01JABCDE",
    "success (live)",
    "web/production",
    "#12",
    "3m ago",
    "2m 05s",
    "alice (token default)",
    "1234567 Fix the header of the page that lists every order",
  ],
  [
    "dep_01JABCDF",
    styleText("red", "failed", { validateStream: false }),
    "web/production",
    "#11",
    "2h ago",
    "42s",
    "bob (token default)",
    "89abcde 修正：見出し 👍 and more words behind it than fit",
  ],
];
const widest = (text: string): number =>
  Math.max(
    ...text
      .split("\n")
      .map((line) =>
        [...stripVTControlCharacters(line)].reduce(
          (sum, character) => sum + (/[\u3000-\u9fff\uff00-\uffef]|\p{Emoji_Presentation}/u.test(character) ? 2 : 1),
          0,
        ),
      ),
  );

describe("a list", () => {
  it.each([60, 80, 100, 120, 160, 200])("fits %i columns, one line a row, with the id and the status in each", (columns) => {
    const shown = list(rows, SPARE, columns);
    expect(widest(shown)).toBeLessThanOrEqual(columns);
    expect(shown.split("\n")).toHaveLength(3);
    for (const word of ["dep_01JABCDE", "success (live)", "failed", "1234567 Fix"]) expect(shown).toContain(word);
  });

  it("is whole without a terminal", () => {
    expect(list(rows, SPARE)).toBe(table(rows));
    expect(list(rows, SPARE)).toContain("behind it than fit");
  });

  it("lines up what is written in wide characters and in colours", () => {
    const shown = stripVTControlCharacters(
      table([
        ["名前", "a"],
        ["x", "b"],
        [styleText("green", "live", { validateStream: false }), "c"],
      ]),
    );
    expect(shown).toBe("名前  a\nx     b\nlive  c");
  });
});

it("a long last cell goes on below itself, between words", () => {
  expect(
    table(
      [
        ["  reason", "it does not compile because of a type"],
        ["  url", "https://example.com/a-long-address-that-stays-whole"],
      ],
      34,
    ),
  ).toBe(
    ["  reason  it does not compile", "          because of a type", "  url     https://example.com/a-long-address-that-stays-whole"].join(
      "\n",
    ),
  );
});
