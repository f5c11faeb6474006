import { afterAll, beforeAll, expect, it } from "vitest";
import { createNextApp, lock, NEXT_16 } from "../support/made-apps.ts";
import { openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

let room: Room;
beforeAll(async () => {
  room = await openRoom();
});
afterAll(async () => {
  await closeBrowser();
  await room?.close();
});

it("what create-next-app wrote is live at the first try, with the deployment's id and every file of its page", async () => {
  const app = await createNextApp(room.folder, "plain", NEXT_16);
  await lock(app);
  const { url, deployment } = await room.live("plain");
  expect(deployment.warnings).toEqual([]);
  const html = await (await fetch(url)).text();
  expect(html).toContain(`dpl=${deployment.id}`);
  const files = [...html.matchAll(/(?:src|href)="(\/_next\/[^"]+)"/g)].map(([, path = ""]) => path.replaceAll("&amp;", "&"));
  expect(files.length).toBeGreaterThan(2);
  for (const path of files) expect([path, (await fetch(new URL(path, url))).status]).toEqual([path, 200]);
  expect((await visit(url, "Hello world!")).faults).toEqual([]);
});
