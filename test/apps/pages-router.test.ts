import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lock, manifestOf, NEXT_15 } from "../support/made-apps.ts";
import { openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

let room: Room;
let url: string;
beforeAll(async () => {
  room = await openRoom();
  await room.write({
    "app/package.json": manifestOf(NEXT_15),
    "app/next.config.mjs": 'export default { basePath: "/docs", i18n: { locales: ["en", "de"], defaultLocale: "en" } };\n',
    "app/public/note.txt": "a note\n",
    "app/pages/index.jsx": `
import Link from "next/link";
export const getStaticProps = ({ locale }) => ({ props: { locale } });
export default ({ locale }) => <main><h1>home in {locale}</h1><Link href="/about">about</Link></main>;
`,
    "app/pages/about.jsx": `
export const getServerSideProps = ({ locale }) => ({ props: { locale } });
export default ({ locale }) => <h1>about in {locale}</h1>;
`,
    "app/pages/api/hello.js": 'export default (_request, response) => response.json({ hello: "you" });\n',
  });
  await lock(`${room.folder}/app`);
  ({ url } = await room.live("app"));
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

describe("an app of the Pages Router on Next.js 15, with a basePath and languages", () => {
  it.each([
    ["/docs", "home in en"],
    ["/docs/de", "home in de"],
    ["/docs/about", "about in en"],
    ["/docs/de/about", "about in de"],
  ])("shows %s without a fault", async (path, words) => {
    expect((await visit(`${url}${path}`, words)).faults).toEqual([]);
  });

  it("answers its API and its public files below the basePath", async () => {
    expect(await (await fetch(`${url}/docs/api/hello`)).json()).toEqual({ hello: "you" });
    expect(await (await fetch(`${url}/docs/note.txt`)).text()).toBe("a note\n");
    expect((await fetch(`${url}/note.txt`)).status).toBe(404);
  });
});
