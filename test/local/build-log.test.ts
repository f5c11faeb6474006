import { describe, expect, it } from "vitest";
import { openLog } from "../../local/codebuild/build-log.ts";

/** What a build's log keeps of what was printed, where these values are secrets. */
const kept = async (printed: string, ...secrets: string[]): Promise<string> => {
  const lines: string[] = [];
  const log = openLog((batch) => void lines.push(...batch.map(({ message }) => message)));
  log.hide(secrets);
  log.output(Buffer.from(printed));
  await log.flush();
  return lines.join("\n");
};

describe("what a build prints", () => {
  it("has no value of eight characters or more, not even inside of a word", async () => {
    expect(await kept("https://x:hunter2-secret@db and xhunter2-secretx", "hunter2-secret")).toBe("https://x:***@db and x***x");
  });
  it("has a shorter value only where it is a part of a word", async () => {
    expect(await kept("error: the rro is prod, in production (prod) key=prod.", "prod", "rro")).toBe(
      "error: the rro is ***, in production (***) key=***.",
    );
  });
  it("keeps its words whole where a value is a letter or three", async () => {
    expect(await kept("npm error code 1", "1", "r", "err", "npm")).toBe("npm error code 1");
  });
  it("takes a short value for what it is, whatever it means in a pattern", async () => {
    expect(await kept("a.b+c and aXbbc and [x-y]", "a.b+c", "[x-y]")).toBe("*** and aXbbc and ***");
  });
  it("has a long value masked before a short one that is in it", async () => {
    expect(await kept("shiplog/9 and shiplog", "shiplog", "shiplog/9")).toBe("*** and ***");
  });
  it("has a value in no form that programs print it in: in an address, in JSON", async () => {
    const value = 'https://db.example/k?se=cr&"et"';
    expect(await kept(`${value} ${encodeURIComponent(value)} ${JSON.stringify({ value })}`, value)).toBe('*** *** {"value":"***"}');
  });
});
