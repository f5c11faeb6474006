import { GetQueueUrlCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { siteResources } from "../../blueprint/site-resources.ts";
import { lock, manifestOf, NEXT_15 } from "../support/made-apps.ts";
import { until } from "../support/until.ts";
import { type Live, openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

let room: Room;
let app: Live;
beforeAll(async () => {
  room = await openRoom();
  await room.write({
    "app/package.json": manifestOf(NEXT_15),
    "app/next.config.mjs": 'export default { trailingSlash: true, assetPrefix: "/static-here" };\n',
    "app/public/note.txt": "a note\n",
    "app/pages/index.jsx": `
import Link from "next/link";
export default () => <main><h1>home</h1><Link href="/made">made</Link></main>;
`,
    "app/pages/made.jsx": `
export const getStaticProps = () => ({ props: { at: Date.now() }, revalidate: 1 });
export default ({ at }) => <h1>made at {at}</h1>;
`,
    "app/pages/_app.jsx": 'import "../made.css";\nexport default ({ Component, pageProps }) => <Component {...pageProps} />;\n',
    "app/made.css": "h1 { color: rgb(1, 2, 3) }\n",
  });
  await lock(`${room.folder}/app`);
  app = await room.live("app");
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

describe("an app with trailingSlash and the path of an assetPrefix", () => {
  it.each([
    ["/", "home"],
    ["/made/", "made at"],
  ])("shows %s without a fault", async (path, words) => {
    expect((await visit(`${app.url}${path}`, words)).faults).toEqual([]);
  });

  it("asks for its scripts and styles below the prefix, and sends a path without the slash to the one with it", async () => {
    const html = await (await fetch(`${app.url}/made/`)).text();
    const files = [...html.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css)[^"]*)"/g)].map(([, path = ""]) => path);
    expect(files.length).toBeGreaterThan(2);
    for (const path of files) {
      expect(path).toMatch(/^\/static-here\/_next\/static\//);
      expect([path, (await fetch(`${app.url}${path}`)).status]).toEqual([path, 200]);
    }
    const bare = await fetch(`${app.url}/made`, { redirect: "manual" });
    expect([bare.status, bare.headers.get("location")]).toEqual([308, "/made/"]);
    expect(await (await fetch(`${app.url}/note.txt`)).text()).toBe("a note\n");
  });

  it("names the pages that OpenNext could not confirm, bothers nobody with a few, and forgets them when it is told to", async () => {
    // five tries at three minutes each, else
    const { sqs } = app.engine.aws.clients;
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: siteResources("app", "production").revalidationQueue }));
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: "1" } }));
    const buildId = /"buildId":"([^"]+)"/.exec(await (await fetch(app.url)).text())?.[1];
    const letters = () => app.shiplog("events", "--dead-letters");
    const said = await until(
      "a page that could not be confirmed",
      async () => {
        await fetch(`${app.url}/_next/data/${buildId}/made.json`);
        const printed = await letters();
        return printed.includes("could not confirm") && printed;
      },
      600_000,
    );
    // it asks for the page without the slash, and gets a redirect
    expect(said).toContain("OpenNext could not confirm that /made was made again");
    expect(await app.shiplog("doctor")).toContain("could not be confirmed as made again");
    await app.shiplog("events", "--dead-letters", "--empty", "app/production", "--yes");
    await until("no dead letter", async () => !(await letters()).includes("could not confirm"));
  });
});
