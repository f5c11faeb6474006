import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A new folder with files in it, `{}` as JSON; the app is made of them as a person's is. */
export async function openFolder() {
  const root = await mkdtemp(join(tmpdir(), "shiplog-app-"));
  const at = (...path: string[]) => join(root, ...path);
  return {
    root,
    at,
    put: async (files: Readonly<Record<string, string | object>>): Promise<void> => {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(at(path)), { recursive: true });
        await writeFile(at(path), typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
      }
    },
    text: (path: string): Promise<string> => readFile(at(path), "utf8"),
    remove: (path: string): Promise<void> => rm(at(path), { recursive: true }),
    git: (...words: string[]): string => execFileSync("git", words, { cwd: root, encoding: "utf8" }),
    close: (): Promise<void> => rm(root, { recursive: true }),
  };
}

export type Folder = Awaited<ReturnType<typeof openFolder>>;

export const PEERS = ">=15.5.28 <16 || >=16.4.1";

export const manifest = (next: string, more: object = {}) => ({
  name: "web",
  dependencies: { next },
  devDependencies: { "@opennextjs/aws": "^4.1.12" },
  ...more,
});

/** npm's lockfile of such an app, at these versions. */
export const npmLock = (next: string, openNext = "4.1.12", peers = PEERS) => ({
  lockfileVersion: 3,
  packages: {
    "": { dependencies: { next }, devDependencies: { "@opennextjs/aws": "^4.1.12" } },
    "node_modules/next": { version: next },
    "node_modules/@opennextjs/aws": { version: openNext, peerDependencies: { next: peers } },
  },
});

/** An app that nothing keeps from being deployed. */
export const soundApp = (next = "16.4.5") => ({
  "package.json": manifest(next),
  "package-lock.json": npmLock(next),
  "next.config.ts": "export default {};\n",
  "app/page.tsx": "export default () => null;\n",
});
