import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LAYOUT, lock, manifestOf, NEXT_16 } from "../support/made-apps.ts";
import { openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

let room: Room;
let url: string;
beforeAll(async () => {
  room = await openRoom();
  await room.write({
    "app/package.json": manifestOf(NEXT_16),
    "app/next.config.mjs": "export default {};\n",
    "app/open-next.config.ts": 'export default { default: { override: { wrapper: "aws-lambda-streaming" } } };\n',
    "app/app/layout.jsx": LAYOUT,
    "app/app/page.jsx": `
import { Suspense } from "react";
export const dynamic = "force-dynamic";
const Slow = async () => { await new Promise((done) => setTimeout(done, 2_000)); return <p>the slow part</p>; };
export default () => <main><h1>at once</h1><Suspense fallback={<p>waiting</p>}><Slow /></Suspense></main>;
`,
    "app/app/events/route.js": `
export const dynamic = "force-dynamic";
export const GET = () => {
  const text = new TextEncoder();
  const stream = new ReadableStream({
    async start(controller) {
      for (let n = 1; n <= 3; n++) {
        controller.enqueue(text.encode("data: " + n + "\\n\\n"));
        await new Promise((done) => setTimeout(done, 700));
      }
      controller.close();
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
};
`,
    "app/app/after/route.js": `
import { existsSync } from "node:fs";
import { after } from "next/server";
export const dynamic = "force-dynamic";
export const GET = () => {
  after(async () => {
    while (!existsSync(${JSON.stringify(`${room.folder}/may-end`)})) await new Promise((done) => setTimeout(done, 100));
  });
  return new Response("answered");
};
`,
    "app/app/large/route.js": `
export const dynamic = "force-dynamic";
export const GET = () => new Response("x".repeat(8 * 1024 * 1024));
`,
  });
  await lock(`${room.folder}/app`);
  ({ url } = await room.live("app", { streaming: true }));
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

/** What of an answer was there before the rest was made: its parts as they came. */
const partsOf = async (path: string): Promise<string[]> => {
  const { body } = await fetch(`${url}${path}`);
  const parts: string[] = [];
  for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) parts.push(part);
  return parts;
};

describe("an app that streams", () => {
  it("shows the fallback of Suspense before what it waits for is made", async () => {
    await fetch(url);
    const parts = await partsOf("/");
    const first = parts.findIndex((part) => part.includes("waiting"));
    const last = parts.findIndex((part) => part.includes("the slow part"));
    expect(first).toBeGreaterThanOrEqual(0);
    expect(last).toBeGreaterThan(first);
    expect((await visit(url, "the slow part")).faults).toEqual([]);
  });

  it("gives server-sent events one by one", async () => {
    const parts = await partsOf("/events");
    expect(parts.length).toBeGreaterThanOrEqual(3);
    expect(parts.join("")).toBe("data: 1\n\ndata: 2\n\ndata: 3\n\n");
  });

  it("answers before what comes after() is done, and more than 6 MB", async () => {
    // after() goes on until this lets it: whoever waited for it would never answer
    expect(await (await fetch(`${url}/after`)).text()).toBe("answered");
    await room.write({ "may-end": "" });
    expect((await (await fetch(`${url}/large`)).text()).length).toBe(8 * 1024 * 1024);
  });
});
