import { symlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUT, lock, manifestOf, NEXT_16, sh } from "../support/made-apps.ts";
import { type Live, openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

const ODD = `it's "quoted", $HOME \${USER} \`id\` %20 äöü`;
let room: Room;
let app: Live;
beforeAll(async () => {
  room = await openRoom();
  await room.write({
    "app/package.json": manifestOf(NEXT_16),
    "app/next.config.mjs": "export default {};\n",
    "app/.gitignore": "node_modules\n.next\n.open-next\n.env*.local\n",
    "app/.env": "NEXT_PUBLIC_WORD=of-env\nSERVER_WORD=server-of-env\nDECLARED=of-env\n",
    "app/.env.production": "NEXT_PUBLIC_WORD=of-env-production\n",
    "app/.env.local": "NEXT_PUBLIC_WORD=of-this-machine\nSERVER_WORD=of-this-machine\n",
    "app/app/layout.jsx": LAYOUT,
    "app/app/page.jsx": `
import { Word } from "./word";
export default () => <main><h1>built with {process.env.NEXT_PUBLIC_WORD}</h1><Word /></main>;
`,
    "app/app/word.jsx": `"use client";
export const Word = () => <p>in the browser {process.env.NEXT_PUBLIC_WORD}</p>;
`,
    "app/app/asked/route.js": `
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ word: process.env.SERVER_WORD, declared: process.env.DECLARED, odd: process.env.ODD });
`,
    "app/app/built/route.js": `
export const dynamic = "force-static";
export const GET = () => Response.json({ declared: process.env.DECLARED, odd: process.env.ODD });
`,
    "app/public/files/note.txt": "a note\n",
  });
  await symlink("files/note.txt", `${room.folder}/app/public/link.txt`);
  await symlink(`${room.folder}/app/public/files`, `${room.folder}/app/public/absolute`);
  await lock(`${room.folder}/app`);
  await sh(`${room.folder}/app`, "git init -q && git add . && git -c user.name=a -c user.email=a@example.com commit -qm 'first'");
  app = await room.live("app", {}, { DECLARED: "of the site", ODD, NODE_ENV: "production" });
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

describe("an app whose repository has .env files, with NODE_ENV=production among its variables", () => {
  it("is built with those that git tracks, and without this machine's", async () => {
    const { text, faults } = await visit(app.url, "in the browser of-env-production");
    expect(text).toContain("built with of-env-production");
    expect(faults).toEqual([]);
  });

  it("says what stayed on this machine and why", () => {
    expect(app.said).toMatch(/source: without \.env\.local \(values of this machine alone; /);
  });

  it("has their values where a request is answered, and the site's variables before them, each as it was given", async () => {
    const site = { declared: "of the site", odd: ODD };
    expect(await (await fetch(`${app.url}/asked`)).json()).toEqual({ word: "server-of-env", ...site });
    expect(await (await fetch(`${app.url}/built`)).json()).toEqual(site);
  });

  it.each(["/link.txt", "/absolute/note.txt"])("serves %s, which is a link", async (path) => {
    expect(await (await fetch(`${app.url}${path}`)).text()).toBe("a note\n");
  });
});
