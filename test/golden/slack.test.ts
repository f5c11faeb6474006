import { describe, expect, it } from "vitest";
import { Status } from "../../domain/projections/views.ts";
import { notableTypes } from "../../domain/webhook/notable.ts";
import { type SlackMessage, slackMessage } from "../../services/deliver/slack-message.ts";
import { everyNews, news } from "../support/news.ts";

describe("Slack's message", () => {
  it.each(Object.entries(everyNews))("of %s is as it was committed", async (name, told) => {
    await expect(`${JSON.stringify(slackMessage(told), null, 2)}\n`).toMatchFileSnapshot(`./slack/${name}.json`);
  });

  it("is committed for every status of a deployment, and for every event that is told", () => {
    const told = Object.values(everyNews);
    const statuses = told.flatMap(({ status }) => (status === null ? [] : [status.after]));
    expect([...new Set(statuses)].sort()).toEqual([...Status.options].sort());
    // a flip that starts is a deployment that goes on deploying
    const types = new Set<string>([...told.map(({ type }) => type), "FlipStarted"]);
    expect(notableTypes.filter((type) => !types.has(type))).toEqual([]);
  });

  const texts = ({ text, blocks }: SlackMessage): { type: string; text: string }[] => [
    { type: "text", text },
    ...(
      blocks as unknown as {
        text?: { type: string; text: string };
        fields?: { type: string; text: string }[];
        elements?: { type: string; text: string }[];
      }[]
    ).flatMap((block) => [...(block.text ? [block.text] : []), ...(block.fields ?? []), ...(block.elements ?? [])]),
  ];

  it("escapes exactly Slack's three, the ampersand first, wherever Slack would read markup", () => {
    const told = slackMessage(news({ reason: "<!channel> &amp; <https://evil.example|click>", lastLines: ["<!here>"] }));
    for (const { type, text } of texts(told)) if (type !== "plain_text") expect(text).not.toMatch(/[<>]/);
    expect(told.text).toContain("&lt;!channel&gt; &amp;amp; &lt;https://evil.example|click&gt;");
    const again = texts(told).find(({ text }) => text.includes("!here"));
    expect(again).toEqual({ type: "mrkdwn", verbatim: true, text: "```\n&lt;!here&gt;\n```" });
  });

  it("shows nothing that acts or turns a line round, of what older logs hold", () => {
    const hostile = "a\x1b[31mb\x07\u202ec\ud83d";
    const told = slackMessage(
      news({ reason: hostile, actor: hostile, lastLines: [hostile], commit: { sha: "0".repeat(40), message: hostile, author: hostile } }),
    );
    for (const { text } of texts(told)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
      expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
      expect(text.isWellFormed()).toBe(true);
    }
  });

  it("stays within the limits, whatever people write", () => {
    const long = "😀<&>".repeat(3_000);
    const told = slackMessage(
      news({
        site: "a".repeat(20),
        actor: long,
        reason: long,
        lastLines: Array.from({ length: 100 }, () => long),
        commit: { sha: "0".repeat(64), message: long.slice(0, 500), author: long.slice(0, 200) },
        url: `https://${"a".repeat(250)}.example`,
        next: long,
      }),
    );
    const all = texts(told);
    expect(told.blocks.length).toBeLessThanOrEqual(50);
    expect(all.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(13_200);
    for (const block of told.blocks) {
      if (block.type === "header") expect(block.text.text.length).toBeLessThanOrEqual(150);
      if ("fields" in block) expect(block.fields.length).toBeLessThanOrEqual(10);
      if ("fields" in block) for (const { text } of block.fields) expect(text.length).toBeLessThanOrEqual(2_000);
      if (block.type === "section" && "text" in block) expect(block.text.text.length).toBeLessThanOrEqual(3_000);
    }
  });
});
