import { symlink } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUT, lock, manifestOf, NEXT_16 } from "../support/made-apps.ts";
import { openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

const FUNCTIONS = { api: ["/api/*"], shop: ["/shop", "/shop/*"] };
let room: Room;
let url: string;
beforeAll(async () => {
  room = await openRoom();
  await room.write({
    "app/package.json": manifestOf(NEXT_16),
    "app/next.config.mjs": "export default {};\n",
    "app/open-next.config.ts": `export default {
  default: {},
  functions: {
    api: { routes: ["app/api/hello/route"], patterns: ${JSON.stringify(FUNCTIONS.api)} },
    shop: { routes: ["app/shop/page", "app/shop/[id]/page"], patterns: ${JSON.stringify(FUNCTIONS.shop)} },
  },
};
`,
    "app/app/layout.jsx": LAYOUT,
    // no prefetch: Next.js itself breaks off that of a page that each request makes, under `next start` too
    "app/app/page.jsx": `
import Link from "next/link";
export default () => <main><h1>home</h1><Link href="/shop" prefetch={false}>shop</Link></main>;
`,
    "app/app/shop/page.jsx": `
import Link from "next/link";
export const dynamic = "force-dynamic";
export default () => <main><h1>the shop of {process.env.AWS_LAMBDA_FUNCTION_NAME}</h1><Link href="/">home</Link></main>;
`,
    // a page that takes any path: what a split function is asked for at its check may be this one's
    "app/app/[slug]/page.jsx": `
export const dynamic = "force-dynamic";
export default async ({ params }) => <h1>page {(await params).slug}</h1>;
`,
    "app/public/note.txt": "a note\n",
    "app/public/年報/2026.txt": "a report\n",
    "app/public/read me [1].txt": "read me\n",
    "app/app/shop/[id]/page.jsx": `
export default async ({ params }) => <h1>thing {(await params).id} of {process.env.AWS_LAMBDA_FUNCTION_NAME}</h1>;
`,
    "app/app/api/hello/route.js": `
export const dynamic = "force-dynamic";
export const GET = () => Response.json({ by: process.env.AWS_LAMBDA_FUNCTION_NAME });
`,
  });
  await symlink("note.txt", `${room.folder}/app/public/link.txt`);
  await lock(`${room.folder}/app`);
  ({ url } = await room.live("app", { functions: FUNCTIONS }));
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

describe("an app with split functions", () => {
  it.each([
    ["/", "home"],
    ["/shop", "the shop of shiplog-app-production-server-shop"],
    ["/about", "page about"],
    ["/shop/7", "thing 7 of shiplog-app-production-server-shop"],
  ])("shows %s without a fault, by the function that it belongs to", async (path, words) => {
    expect((await visit(`${url}${path}`, words)).faults).toEqual([]);
  });

  it.each([
    ["/note.txt", "a note\n"],
    ["/link.txt", "a note\n"],
    [`/${encodeURIComponent("年報")}/2026.txt`, "a report\n"],
    [`/${encodeURIComponent("read me [1].txt")}`, "read me\n"],
  ])("serves its public file %s", async (path, text) => {
    expect(await (await fetch(`${url}${path}`)).text()).toBe(text);
  });

  it("answers its API by that function", async () => {
    expect(await (await fetch(`${url}/api/hello`)).json()).toEqual({ by: "shiplog-app-production-server-api" });
  });
});
