import { Hono } from "hono";
import { html } from "hono/html";
import type { SessionView } from "../../domain/projections/session-view.ts";
import { must } from "../engine.ts";
import { LATER, page, presentOf, type Screen } from "../layout.ts";
import { clientOf, type Env, formField, type Ports } from "../ports.ts";
import { ago, type Html, lasting, said } from "../words.ts";

/** `/sessions`: who is signed in, and the end of it. */
export const sessions = (ports: Ports): Hono<Env> =>
  new Hono<Env>()
    .get("/sessions", async (context) => {
      const screen = presentOf(ports, context);
      const { session: own, token } = context.get("caller");
      const found = await must(clientOf(ports, context).sessions());
      const mayEnd = ({ token: of }: SessionView): boolean => screen.canAct || of === token;
      const rows = found.map((session) => row(session, session.id === own?.id, mayEnd(session) ? ports.key() : undefined, screen));
      const body = html`<h1>Sessions</h1><p class="soft">Who showed a token and acts by it. An end is an event of the log, like the beginning.</p><table><caption>Going on now</caption><thead><tr><th scope="col">Who</th><th scope="col">Since</th><th scope="col">Ends by itself</th><th scope="col">From</th><th scope="col"><span class="hidden">End it</span></th></tr></thead><tbody>${rows}</tbody></table>`;
      return context.html(await page({ title: "Sessions", room: "none", screen, path: "/sessions", body, every: LATER, withTime: false }));
    })
    .post("/sessions/:id/end", async (context) => {
      await must(clientOf(ports, context).endSession(context.req.param("id"), undefined, await formField(context, "key")));
      return context.redirect("/sessions", 303);
    });

/** @param key of the form that ends it; `undefined`: it is not this person's to end */
const row = ({ id, kind, actor, origin, beganAt, until }: SessionView, own: boolean, key: string | undefined, { now }: Screen): Html =>
  html`<tr><td>${said(actor, 80)}${own ? html` <strong>(this one)</strong>` : ""}${kind === "link" ? " by a link" : ""}<br><span class="sha soft">${id}</span></td><td>${ago(beganAt, now)}</td><td>in ${lasting(Date.parse(until) - now)}</td><td>${said(origin.split(" ")[1] ?? "", 60)}</td><td>${key === undefined ? "" : html`<form method="post" action="/sessions/${id}/end"><input type="hidden" name="key" value="${key}"><button aria-label="End the session of ${said(actor, 80)}, ${id}">End</button></form>`}</td></tr>`;
