import { afterAll, afterEach, describe, expect, it } from "vitest";
import { LAYOUT, manifestOf, NEXT_15, NEXT_16, sh } from "../support/made-apps.ts";
import { openRoom, type Room } from "./room.ts";
import { closeBrowser, visit } from "./visit.ts";

let room: Room | undefined;
afterEach(async () => {
  await room?.close();
  room = undefined;
});
afterAll(closeBrowser);

const page = (words: string) => ({
  "next.config.mjs": "export default {};\n",
  "app/layout.jsx": LAYOUT,
  "app/page.jsx": `export default () => <h1>${words}</h1>;\n`,
});
const below = (folder: string, files: Readonly<Record<string, string | object>>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content]));
const NO_AUDIT = "--no-audit --no-fund --loglevel=error";

describe("an app that is installed by", () => {
  it("pnpm, in a workspace with a package of its own, is live at the first try", async () => {
    room = await openRoom();
    const manifest = manifestOf(NEXT_15);
    await room.write({
      "work/package.json": { name: "root", private: true },
      "work/pnpm-workspace.yaml": "packages:\n  - apps/*\n  - packages/*\n",
      ...below("work/packages/words", {
        "package.json": { name: "words", version: "1.0.0", main: "index.js" },
        "index.js": 'module.exports = "of the workspace";\n',
      }),
      ...below("work/apps/web", {
        ...page("{words}"),
        "package.json": { ...manifest, dependencies: { ...manifest.dependencies, words: "workspace:*" } },
      }),
    });
    await room.write({ "work/apps/web/app/page.jsx": 'import words from "words";\nexport default () => <h1>{words}</h1>;\n' });
    await sh(`${room.folder}/work`, `npx --yes pnpm@10 install --lockfile-only`);
    const { url } = await room.live("work/apps/web");
    expect(await visit(url, "of the workspace")).toEqual({ text: "of the workspace", faults: [] });
  });

  it.each([
    [
      "yarn",
      `npm install --prefix ../tools ${NO_AUDIT} yarn@1 && ../tools/node_modules/.bin/yarn install --non-interactive && rm -rf node_modules`,
    ],
    ["bun", `npm install --prefix ../tools ${NO_AUDIT} bun@1 && ../tools/node_modules/.bin/bun install --lockfile-only`],
  ])("%s is live at the first try", async (manager, lock) => {
    room = await openRoom();
    await room.write(below("app", { ...page(`by ${manager}`), "package.json": manifestOf(NEXT_16) }));
    await sh(`${room.folder}/app`, lock);
    const { url } = await room.live("app");
    expect(await visit(url, `by ${manager}`)).toEqual({ text: `by ${manager}`, faults: [] });
  });
});
