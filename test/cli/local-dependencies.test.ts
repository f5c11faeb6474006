import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { examineApp } from "../../cli/examine-app.ts";
import { type Folder, manifest, npmLock, openFolder, soundApp } from "./support/app-folder.ts";
import { runCli } from "./support/run-cli.ts";
import { stubEngine } from "./support/stub-engine.ts";

/** An app in `app`, whose folder has things beside it. */
let folder: Folder;
beforeEach(async () => {
  folder = await openFolder();
  await folder.put(Object.fromEntries(Object.entries(soundApp()).map(([path, content]) => [`app/${path}`, content])));
  await folder.put({ "words/package.json": { name: "words" }, "words.tgz": "a tarball" });
});
afterEach(() => folder.close());

const depend = (more: { dependencies?: object; devDependencies?: object; optionalDependencies?: object }) => {
  const { dependencies, devDependencies } = manifest("16.4.5");
  const wants = {
    dependencies: { ...dependencies, ...more.dependencies },
    devDependencies: { ...devDependencies, ...more.devDependencies },
    optionalDependencies: more.optionalDependencies ?? {},
  };
  const lock = npmLock("16.4.5");
  return folder.put({
    "app/package.json": manifest("16.4.5", wants),
    "app/package-lock.json": { ...lock, packages: { ...lock.packages, "": wants } },
  });
};
const found = async (app = "app", ownBuild = false) =>
  (await examineApp(folder.at(app), { ownBuild, site: undefined })).findings
    .filter(({ code }) => code === "dependency.missing")
    .map(({ level, message, mend }) => `${level} ${message} ${mend}`.replaceAll(folder.root, "~"));

describe("a dependency by a path", () => {
  it("to a folder outside of the source is an error, with ways out", async () => {
    await depend({ dependencies: { words: "file:../words" } });
    expect(await found()).toEqual([
      "error ~/app/package.json has words as file:../words, which is outside of ~/app, and only what is in there is packed: no build has it. " +
        "Move it into ~/app and correct the path, publish it to a registry, or make both packages of one workspace whose root has the lockfile.",
    ]);
  });

  it.each([
    "file:../words.tgz",
    "../words.tgz",
    "link:../words",
    "portal:../words",
    "file:///somewhere/words",
    "/somewhere/words",
    "~/words",
    "file:..",
  ])("is seen among devDependencies as %s", async (spec) => {
    await depend({ devDependencies: { words: spec } });
    expect(await found()).toEqual([expect.stringContaining(`has words as ${spec}, which is outside of ~/app,`)]);
  });

  it("that an install goes on without is a warning", async () => {
    await depend({ optionalDependencies: { words: "file:../words.tgz" } });
    expect(await found()).toEqual([expect.stringMatching(/^warning .*: builds are made without it\. Copy it into ~\/app and correct the/)]);
  });

  it.each([
    "^1.0.0",
    "npm:other@1",
    "workspace:*",
    "acme/words",
    "github:acme/words",
    "https://example.com/words.tgz",
    "git+ssh://x/y.git",
  ])("is none where it is %s", async (spec) => {
    await depend({ dependencies: { words: spec } });
    expect(await found()).toEqual([]);
  });

  it.each(["file:./vendor/words", "link:vendor/words", "file:vendor/words.tgz", "./vendor/words.tgz", "file:.", "link:./app"])(
    "to what is packed is right: %s",
    async (spec) => {
      await folder.put({ "app/vendor/words/package.json": { name: "words" }, "app/vendor/words.tgz": "a tarball" });
      await depend({ dependencies: { words: spec } });
      expect(await found()).toEqual([]);
    },
  );

  it("to what the source leaves out, or does not hold, is an error that says so", async () => {
    await folder.put({ "app/.gitignore": "*.tgz\n", "app/.shiplogignore": "drafts\n" });
    await folder.put({ "app/words.tgz": "a tarball", "app/drafts/words/package.json": {}, "app/node_modules/words/package.json": {} });
    await depend({ dependencies: { a: "file:words.tgz", b: "file:drafts/words", c: "file:node_modules/words", d: "file:gone" } });
    expect(await found()).toEqual([
      "error ~/app/package.json has a as file:words.tgz, which is left out of the source, because .gitignore names it: no build has it. Remove it from .gitignore.",
      "error ~/app/package.json has b as file:drafts/words, which is left out of the source, because .shiplogignore names it: no build has it. Remove it from .shiplogignore.",
      expect.stringContaining("has c as file:node_modules/words, and the source holds nothing of that name: no build has it."),
      expect.stringContaining("has d as file:gone, and the source holds nothing of that name: no build has it."),
    ]);
  });

  it("of a folder that is depended on is looked at too, but for what only its own development needs", async () => {
    await folder.put({
      "app/a/package.json": { dependencies: { b: "file:../b" }, devDependencies: { own: "file:../../own" } },
      "app/c/package.json": { dependencies: { own: "file:../../own" } },
      "app/b/package.json": { dependencies: { a: "file:../a", words: "file:../../words" } },
    });
    await depend({ dependencies: { a: "file:a", c: "link:c" } });
    expect(await found()).toEqual([
      expect.stringContaining("~/app/b/package.json has words as file:../../words, which is outside of ~/app,"),
    ]);
  });

  it("that is a link is told, and not refused, where its folder is not sent: the build may make it", async () => {
    await depend({ dependencies: { "styled-system": "link:./styled-system" } });
    const engine = await stubEngine();
    const { err } = await runCli(["check", "app"], { cwd: folder.root, env: engine.env });
    expect(err + (await found()).join()).toContain("has styled-system as link:./styled-system");
    expect((await found()).join()).toContain("builds have it where they make it");
    await engine.close();
  });

  it("is the app's own affair where it says itself how it is built", async () => {
    await depend({ dependencies: { words: "file:../words" } });
    expect(await found("app", true)).toEqual([]);
  });

  it("is refused by deploy before anything is uploaded", async () => {
    await depend({ dependencies: { words: "file:../words" } });
    const engine = await stubEngine();
    const { code, err } = await runCli(["deploy", "app"], { cwd: folder.root, env: engine.env });
    expect([code, engine.state.uploads.length]).toEqual([2, 0]);
    expect(err).toContain("has words as file:../words, which is outside of");
    await engine.close();
  });
});

describe("of a workspace", () => {
  beforeEach(async () => {
    await folder.remove("app");
    await folder.put({
      "ws/package.json": { name: "root", private: true },
      "ws/pnpm-workspace.yaml": "packages:\n  - apps/*\n  - '{packages,tools}/*'\n  - '!**/old/**'\n",
      "ws/pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
      "ws/apps/web/package.json": manifest("16.4.5", { dependencies: { next: "16.4.5", ui: "workspace:*" } }),
      "ws/apps/web/next.config.mjs": "",
    });
  });

  it("every package may depend on what is in it, and on nothing outside of it", async () => {
    const words = { devDependencies: { words: "link:../../../words" } };
    await folder.put({
      "ws/packages/ui/package.json": { dependencies: { kit: "link:../../kit" } },
      "ws/kit/package.json": {},
      "ws/tools/lint/package.json": words,
    });
    expect(await found("ws/apps/web")).toEqual([
      expect.stringContaining("~/ws/tools/lint/package.json has words as link:../../../words, which is outside of ~/ws,"),
    ]);
  });

  it("a package.json that is no package of it is not looked at", async () => {
    const words = { dependencies: { words: "file:../../../../../words" } };
    await folder.put({
      "ws/packages/ui/package.json": {},
      "ws/packages/ui/test/fixture/package.json": words,
      "ws/packages/old/package.json": words,
      "ws/examples/one/package.json": words,
    });
    expect(await found("ws/apps/web")).toEqual([]);
  });
});
