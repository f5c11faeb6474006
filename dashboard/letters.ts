import { html } from "hono/html";
import type { z } from "zod";
import type { DeadLetter } from "../client/contract.ts";
import { jsonText } from "../domain/kernel/text.ts";
import type { Asked } from "./actions.ts";
import { streamLink } from "./deployments.ts";
import type { Screen } from "./layout.ts";
import { ago, badge, command, type Html, said } from "./words.ts";

type Letter = z.infer<typeof DeadLetter>;

export const letterPath = (id: string): string => `/quarantine/${encodeURIComponent(id)}`;

/** One row a dead letter. */
export const lettersTable = (letters: readonly Letter[], screen: Screen): Html =>
  letters.length === 0
    ? html`<p>${badge("live", "empty")} Every message found a consumer that could take it.</p><p class="soft">The same from a terminal: ${command("shiplog quarantine ls")}</p>`
    : html`<table><caption>${letters.length === 1 ? "One dead letter" : `${letters.length} dead letters`}</caption><thead><tr><th scope="col">Reason</th><th scope="col">Consumer</th><th scope="col">Speaks of</th><th scope="col">Put aside</th></tr></thead><tbody>${letters.map(
        (letter) =>
          html`<tr><td><a href="${letterPath(letter.messageId)}">${said(letter.reason)}</a>${unfinished(letter)}</td><td>${said(letter.consumer, 80)}</td><td>${letter.about === null ? html`<span class="soft">not known</span>` : streamLink(letter.about.stream, screen)}</td><td>${letter.at === null ? "" : ago(letter.at, screen.now)}</td></tr>`,
      )}</tbody></table>`;

/** Somebody decided of it and was cut off: it is there still. */
const unfinished = ({ decided }: Pick<Letter, "decided">): Html | string =>
  decided === null
    ? ""
    : html` ${badge("held", `${decided.what}, and still there`)} <span class="soft">by ${said(decided.by, 60)}${decided.why ? html`: “${said(decided.why)}”` : ""}. Ask for it once more.</span>`;

/** One dead letter with its body, which is text whatever it holds. */
export const letterCard = (letter: Letter, screen: Screen): Html => {
  const { messageId, consumer, reason, at, tries, about, body } = letter;
  const facts: [string, Html | string][] = [
    ["Consumer", said(consumer, 80)],
    ["Put aside", at === null ? "not known when" : ago(at, screen.now)],
    ["Tried", tries === null ? "nobody counted" : tries === 1 ? "once" : `${tries} times`],
    [
      "Speaks of",
      about === null
        ? "its body does not tell"
        : html`${about.type === null ? "" : `${said(about.type, 60)} of `}${streamLink(about.stream, screen)}`,
    ],
    ["Id", html`<code>${messageId}</code>`],
  ];
  return html`<header class="head"><h1>Dead letter of ${said(consumer, 80)}</h1>${badge("failed", "put aside")}</header><p class="reason">${said(reason, 2_000)}</p>${unfinished(letter)}<dl>${facts.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>${screen.canAct ? html`<p class="row"><a class="button" href="${letterPath(messageId)}/redrive">Send again…</a><a class="button" href="${letterPath(messageId)}/drop">Drop…</a></p>` : ""}<section aria-labelledby="body"><h2 id="body">Body</h2><pre class="log" tabindex="0">${bodyText(body)}</pre></section>`;
};

/** What acts on a screen is escaped in JSON, and named in what is none. */
const bodyText = (body: string): string => {
  try {
    return jsonText(JSON.parse(body), 2);
  } catch {
    return said(body, 100_000);
  }
};

const told = ({ reason }: Letter): Html => html`<p class="reason">${said(reason, 2_000)}</p>`;

export const askToRedrive = (letter: Letter): Asked => ({
  title: `Send it to ${said(letter.consumer, 80)} again`,
  path: `${letterPath(letter.messageId)}/redrive`,
  back: letterPath(letter.messageId),
  does: html`${told(letter)}<p>It is put into its consumer's queue once more, and is no dead letter any more. What was done of it already is not done twice. Where it fails again, it comes back under another id.</p>`,
  cli: `shiplog quarantine redrive ${letter.messageId}`,
  button: "Send again",
  reason: "optional",
});

export const askToDrop = (letter: Letter): Asked => ({
  title: `Drop a dead letter of ${said(letter.consumer, 80)}`,
  path: `${letterPath(letter.messageId)}/drop`,
  back: letterPath(letter.messageId),
  does: html`${told(letter)}<p>Its body is gone for good, and nothing is done about it any more. The log keeps who dropped it, and why.</p>`,
  cli: `shiplog quarantine drop ${letter.messageId} --reason <why>`,
  button: "Drop it",
  reason: "required",
});
