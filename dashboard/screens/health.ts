import { Hono } from "hono";
import { html } from "hono/html";
import type { z } from "zod";
import type { EngineHealth } from "../../client/contract.ts";
import type { EngineFinding } from "../../domain/projections/engine-health.ts";
import { streamLink } from "../deployments.ts";
import { must } from "../engine.ts";
import { LATER, page, presentOf, type Screen } from "../layout.ts";
import { clientOf, type Env, type Ports } from "../ports.ts";
import { badge, command, type Html, said } from "../words.ts";

const PARTS: Readonly<Record<EngineFinding["part"], string>> = {
  relay: "Relay",
  projections: "Projections",
  reconciler: "Reconciler",
  "dead-letters": "Dead letters",
  steps: "Steps",
  waiting: "Waiting messages",
  seals: "Seals",
  "code-storage": "Code storage",
};
const TONES = { ok: "live", late: "held", wrong: "failed" } as const;

/** `/health`: whether the engine itself is well, and what to do where it is not. */
export const health = (ports: Ports): Hono<Env> =>
  new Hono<Env>().get("/health", async (context) => {
    const screen = presentOf(ports, context);
    const found = await must(clientOf(ports, context).engineHealth());
    const says = found.findings.filter(({ state }) => state !== "ok").map(({ part, state }) => `${PARTS[part]}: ${state}`);
    const body = html`${heading(found)}${findingsTable(found.findings, screen)}${elsewhere}`;
    return context.html(
      await page({ title: "Health", room: "health", screen, path: "/health", body, every: LATER, says, withTime: false }),
    );
  });

const heading = ({ state, findings }: z.infer<typeof EngineHealth>): Html => {
  const bad = findings.filter((finding) => finding.state !== "ok").length;
  const words = bad === 0 ? `All ${findings.length} are well.` : `${bad} of ${findings.length} are not well.`;
  return html`<header class="head"><h1>Health</h1>${badge(TONES[state], state)}<span>${words}</span></header>`;
};

const findingsTable = (findings: readonly EngineFinding[], screen: Screen): Html =>
  html`<table><caption>The engine, as its tables and queues have it</caption><thead><tr><th scope="col">Part</th><th scope="col">State</th><th scope="col">What was found</th><th scope="col">Next</th></tr></thead><tbody>${findings.map(
    (finding) =>
      html`<tr><th scope="row">${PARTS[finding.part]}</th><td>${badge(TONES[finding.state], finding.state)}</td><td>${said(finding.says, 1_000)}<div>${linkOf(finding, screen)}</div></td><td>${finding.next === null ? html`<span class="soft">nothing to do</span>` : command(said(finding.next))}</td></tr>`,
  )}</tbody></table>`;

const linkOf = ({ part, about }: EngineFinding, screen: Screen): Html | string => {
  if (part === "dead-letters") return html`<a href="/quarantine">Quarantine</a>`;
  return about === null ? "" : streamLink(about, screen);
};

const elsewhere = html`<section aria-labelledby="elsewhere"><h2 id="elsewhere">What is not seen from here</h2><p>The API may not look at the account: whether queues, rules, functions, tables, buckets, keys and CloudFront are there and as they were made, quotas, and sites' aliases. That takes AWS credentials of a person: ${command("shiplog doctor")}</p></section>`;
