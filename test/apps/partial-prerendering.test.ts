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
    "app/next.config.mjs": "export default { cacheComponents: true };\n",
    // the overrides of OpenNext's own examples
    "app/open-next.config.ts":
      'export default { default: { override: { wrapper: "aws-lambda-streaming", queue: "sqs-lite", incrementalCache: "s3-lite", tagCache: "dynamodb-lite" } } };\n',
    "app/app/layout.jsx": LAYOUT,
    "app/app/page.jsx": `
import { connection } from "next/server";
import { Suspense } from "react";
import { Clicks } from "./clicks";
const Now = async () => { await connection(); return <p>asked at {Date.now()}</p>; };
export default () => <main><h1>the shell</h1><Clicks /><Suspense fallback={<p>waiting</p>}><Now /></Suspense></main>;
`,
    "app/app/kept/page.jsx": `
export default async () => { "use cache"; return <p>made at {Date.now()}</p>; };
`,
    "app/app/clicks.jsx": `"use client";
import { useState } from "react";
export const Clicks = () => { const [count, set] = useState(0); return <button onClick={() => set(count + 1)}>clicked {count}</button>; };
`,
  });
  await lock(`${room.folder}/app`);
  ({ url } = await room.live("app", { streaming: true }));
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

describe("a page that is prerendered in part", () => {
  it("shows its shell and what each request makes, without a fault", async () => {
    const { text, faults } = await visit(url, "asked at");
    expect(text).toContain("the shell");
    expect(faults).toEqual([]);
  });

  it("is made for each visitor where it waits, and not where it does not", async () => {
    const [one, two] = [await (await fetch(url)).text(), await (await fetch(url)).text()];
    const asked = (text: string): string | undefined => /asked at (?:<!-- -->)?(\d+)/.exec(text)?.[1];
    expect(asked(one)).toBeDefined();
    expect(asked(two)).not.toBe(asked(one));
    expect(one).toContain("<h1>the shell</h1>");
  });

  it("keeps what is cached, in the store that a lite override reaches", async () => {
    const made = async (): Promise<string | undefined> => /made at (?:<!-- -->)?(\d+)/.exec(await (await fetch(`${url}/kept`)).text())?.[1];
    const first = await made();
    expect(first).toBeDefined();
    expect(await made()).toBe(first);
  });
});
