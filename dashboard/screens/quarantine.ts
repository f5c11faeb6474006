import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { confirmation } from "../actions.ts";
import { must } from "../engine.ts";
import { LATER, page, presentOf } from "../layout.ts";
import { askToDrop, askToRedrive, letterCard, lettersTable } from "../letters.ts";
import { clientOf, type Env, formField, type Ports } from "../ports.ts";
import { type Html, said } from "../words.ts";

const VERBS = [
  ["redrive", askToRedrive],
  ["drop", askToDrop],
] as const;

/** `/quarantine`: what no consumer could take, and one of it with its body; sent again, or dropped. */
export const quarantine = (ports: Ports): Hono<Env> => {
  const show = async (context: Context<Env>, title: string, body: Html, every?: number): Promise<Response> => {
    const screen = presentOf(ports, context);
    const given = { title, room: "quarantine", screen, path: "/quarantine", body, withTime: false } as const;
    return context.html(await page(every === undefined ? given : { ...given, every }));
  };

  const app = new Hono<Env>()
    .get("/quarantine", async (context) => {
      const { letters, unread } = await must(clientOf(ports, context).deadLetters());
      const gone = unread.map(
        (name) =>
          html`<p role="alert" class="reason">The dead letters of ${said(name, 80)} cannot be read: its queue of them is gone. <code>shiplog doctor</code> says what to do.</p>`,
      );
      const table = lettersTable(letters, presentOf(ports, context));
      return show(context, "Quarantine", html`<h1>Quarantine</h1>${gone}${table}`, LATER);
    })
    // what is read before it is decided does not change by itself
    .get("/quarantine/:letter", async (context) => {
      const letter = await must(clientOf(ports, context).deadLetter(context.req.param("letter")));
      return show(context, "Dead letter", letterCard(letter, presentOf(ports, context)));
    });

  for (const [verb, asked] of VERBS) {
    app.get(`/quarantine/:letter/${verb}`, async (context) => {
      const letter = await must(clientOf(ports, context).deadLetter(context.req.param("letter")));
      const { title, ...rest } = asked(letter);
      return show(context, title, confirmation({ title, ...rest }, ports.key(), presentOf(ports, context)));
    });
    app.post(`/quarantine/:letter/${verb}`, async (context) => {
      const reason = await formField(context, "reason");
      const key = await formField(context, "key");
      await must(clientOf(ports, context).settleLetter(context.req.param("letter"), verb, reason === "" ? {} : { reason }, key));
      return context.redirect("/quarantine", 303);
    });
  }
  return app;
};
