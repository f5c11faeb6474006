import { storable } from "../../domain/kernel/text.ts";
import { type News, TEST_TYPE } from "../../domain/webhook/news.ts";
import { wording } from "../../domain/wording.ts";

/** A message for Slack's incoming webhooks: `text` for notifications and screen readers, blocks for the eye. */
export type SlackMessage = { readonly text: string; readonly blocks: readonly SlackBlock[] };
type PlainText = { type: "plain_text"; text: string; emoji: false };
type Markdown = { type: "mrkdwn"; text: string; verbatim: true };
type SlackBlock =
  | { type: "header"; text: PlainText }
  | { type: "section"; fields: PlainText[] }
  | { type: "section"; text: Markdown | PlainText }
  | { type: "context"; elements: (PlainText | Markdown)[] };

/** Slack's limits, each with room to spare: header 150, section text 3,000, field 2,000, all together about 13,200. */
const LIMIT = { text: 300, header: 150, field: 300, reason: 1_000, lines: 1_800, line: 200, context: 300 } as const;

const LOOKS: Readonly<Record<string, readonly [symbol: string, word: string]>> = {
  queued: ["🕓", "queued"],
  building: ["🔨", "building"],
  built: ["📦", "built"],
  deploying: ["🚚", "deploying"],
  held: ["✋", "held"],
  cancelling: ["🛑", "cancelling"],
  success: ["✅", "live"],
  failed: ["❌", "failed"],
  cancelled: ["🚫", "cancelled"],
  superseded: ["⏭️", "superseded"],
  deploy: ["✅", "live"],
  rollback: ["⏪", "rolled back"],
  promote: ["⏩", "promoted"],
  restore: ["♻️", "restored"],
  [TEST_TYPE]: ["👋", "test message"],
};

/** Of the event itself, where it says more than the status that it led to. */
const badgeOf = (type: string): readonly [string, string] | undefined =>
  LOOKS[type] ?? (type in wording ? wording[type as keyof typeof wording].badge : undefined);

/** One glance must be enough: what, where, whose; then why, and what to do. Text of people and programs is never markup. */
export const slackMessage = (news: News): SlackMessage => {
  const [symbol, word] = badgeOf(news.type) ?? LOOKS[news.flip ?? ""] ?? LOOKS[news.status?.after ?? ""] ?? ["ℹ️", news.type];
  const place = `${news.site}/${news.environment}`;
  const subject = subjectOf(news.commit);
  const headline = `${symbol} ${place} ${word}`;
  const reason = news.reason === null || news.reason === "" ? [] : [{ type: "section", text: plain(news.reason, LIMIT.reason) } as const];
  return {
    text: escaped([headline, subject, news.reason].filter(Boolean).join(" · "), LIMIT.text),
    blocks: [
      { type: "header", text: plain(headline, LIMIT.header) },
      { type: "section", fields: fieldsOf(news, subject) },
      ...reason,
      ...linesOf(news.lastLines),
      section(`Next: \`${escaped(news.next.replaceAll("`", "'"), LIMIT.field)}\``),
      // Slack has no key against repetitions: the event's id tells two posts of the same event
      {
        type: "context",
        elements: [plain([news.at, news.url, news.deployment, `event ${news.event}`].filter(Boolean).join("  ·  "), LIMIT.context)],
      },
    ],
  };
};

function fieldsOf({ actor, sequence, durationMs, live, step, status, flip, replaced, deployment }: News, subject: string): PlainText[] {
  const back = flip === "rollback" && replaced !== null;
  const rows: (readonly [string, string | null])[] = [
    ...(back
      ? ([
          ["From", `${replaced.deployment} ${subjectOf(replaced.commit)}`.trim()],
          ["To", `${deployment} ${subject}`.trim()],
        ] as const)
      : ([["Commit", subject || null]] as const)),
    ["By", actor],
    ["Sequence", sequence === null ? null : `#${sequence}`],
    ["Failed at", status?.after === "failed" ? step : null],
    ["After", durationMs === null ? null : showDuration(durationMs)],
    ["Live", showLive(live)],
  ];
  return rows.flatMap(([label, value]) => (value === null ? [] : [plain(`${label}: ${value}`, LIMIT.field)]));
}

/** `0123abc Fix the header (Ada)` */
function subjectOf(commit: News["commit"]): string {
  if (commit === null) return "";
  const [message = ""] = (commit.message ?? "").split("\n");
  const sha = `${commit.sha.slice(0, 7)}${commit.dirty ? "+changes" : ""}`;
  return [sha, clip(message, 120), commit.author && `(${commit.author})`].filter(Boolean).join(" ");
}

function showLive({ before, after }: News["live"]): string {
  const show = (one: News["live"]["after"]) => (one === null ? "nothing" : `#${one.sequence}`);
  return before?.sequence === after?.sequence ? `${show(after)}, unchanged` : `${show(before)} → ${show(after)}`;
}

/** The newest lines that fit, as they are. */
function linesOf(lines: readonly string[]): SlackBlock[] {
  const fitting: string[] = [];
  let length = 0;
  for (const line of lines.toReversed()) {
    const shown = escaped(line.replaceAll("```", "'''"), LIMIT.line);
    length += shown.length + 1;
    if (length > LIMIT.lines) break;
    fitting.unshift(shown);
  }
  return fitting.length === 0 ? [] : [section(`\`\`\`\n${fitting.join("\n")}\n\`\`\``)];
}

const section = (text: string): SlackBlock => ({ type: "section", text: { type: "mrkdwn", text, verbatim: true } });
const plain = (text: string, limit: number): PlainText => ({ type: "plain_text", text: clip(text, limit), emoji: false });

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** Exactly Slack's three characters: this also keeps `<!channel>` from calling everybody. */
const escaped = (text: string, limit: number): string => clip(text, limit, (character) => ENTITIES[character] ?? character);

/** As much as fits after escaping, fit to be shown; never a part of a character or of an entity. */
const clip = (text: string, limit: number, write = (character: string): string => character): string => {
  let written = "";
  for (const character of storable(text)) {
    const next = write(character);
    if (written.length + next.length >= limit) return `${written}…`;
    written += next;
  }
  return written;
};

const showDuration = (ms: number): string => {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
