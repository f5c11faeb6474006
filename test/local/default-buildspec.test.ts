import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildspecOf } from "../../blueprint/buildspec.ts";
import { unzipInto } from "../../engine/zip/archive.ts";
import { openRoom, type Room, spec } from "./codebuild-room.ts";

let room: Room;
beforeEach(async () => {
  room = await openRoom();
});
afterEach(() => room.close());

const artifactsOverride = {
  type: "S3",
  location: "artifacts",
  path: "/web/",
  name: "out.zip",
  packaging: "ZIP",
  namespaceType: "NONE",
} as const;

/** What OpenNext 3 does on Node 22.19 and newer: `cpSync` makes npm's relative links absolute, into a folder that is gone later. */
const copying = [
  "mkdir -p made/node_modules/.bin made/node_modules/semver .open-next/image-optimization-function",
  "echo 'export {}' > .open-next/image-optimization-function/index.mjs; echo 1 > made/node_modules/semver/semver.js",
  "ln -s ../semver/semver.js made/node_modules/.bin/semver",
  "cp -r made/node_modules .open-next/image-optimization-function/",
  'ln -sfn "$PWD/made/node_modules/semver/semver.js" .open-next/image-optimization-function/node_modules/.bin/semver',
  "ln -s ../semver/semver.js .open-next/image-optimization-function/node_modules/kept",
];

const SHARP = "mkdir -p .open-next/image-optimization-function/node_modules/@img/sharp-linux-arm64";

describe("the build of a site without a buildspec", () => {
  it("leaves out npm's links to programs, which OpenNext makes point out of the folder", async () => {
    const buildspec = buildspecOf({ build: { install: ["true"], commands: [...copying, SHARP] }, architecture: "arm64" });
    const build = await room.ended(await room.startBuild(buildspec, { artifactsOverride }));
    expect(build.buildStatus, room.text()).toBe("SUCCEEDED");
    await writeFile(join(room.dir, "out.zip"), room.objects.get("/artifacts/web/out.zip") as Buffer);
    await unzipInto(join(room.dir, "out.zip"), join(room.dir, "unpacked"));
    expect((await readdir(join(room.dir, "unpacked/image-optimization-function"), { recursive: true })).sort()).toEqual(
      ["index.mjs", "node_modules", "node_modules/kept", "node_modules/semver", "node_modules/semver/semver.js"].sort(),
    );
  });

  it("ends where the app has one after all, of which nobody knew when its project was made", async () => {
    const build = { install: ["true"], commands: [...copying, SHARP] };
    const built = async (name: string, files: Record<string, string>, app?: string) => {
      await room.putSource(`${name}.zip`, files);
      const environmentVariablesOverride = app === undefined ? [] : [{ name: "SHIPLOG_APP", value: app }];
      const source = { sourceTypeOverride: "S3", sourceLocationOverride: `sources/${name}.zip` } as const;
      const buildspec = buildspecOf({ build, architecture: "arm64" }, { refuseOwn: true });
      const started = await room.startBuild(buildspec, { ...source, artifactsOverride, environmentVariablesOverride });
      return (await room.ended(started)).buildStatus;
    };
    expect(await built("plain", { "package.json": "{}", "apps/web/package.json": "{}" }, "apps/web"), room.text()).toBe("SUCCEEDED");
    expect(await built("own", { "buildspec.yml": "version: 0.2" })).toBe("FAILED");
    expect(room.text()).toMatch(/^This app has a buildspec\.yml/m);
    expect(await built("part", { "apps/web/buildspec.yml": "version: 0.2" }, "apps/web")).toBe("FAILED");
  });
});

it("a buildspec of one's own that packs such a link loses that link alone", async () => {
  const artifacts = { "base-directory": ".open-next", files: ["**/*"], "enable-symlinks": "yes" };
  const build = await room.ended(await room.startBuild(spec({ build: copying, artifacts }), { artifactsOverride }));
  expect(build.buildStatus, room.text()).toBe("SUCCEEDED");
  await writeFile(join(room.dir, "out.zip"), room.objects.get("/artifacts/web/out.zip") as Buffer);
  await unzipInto(join(room.dir, "out.zip"), join(room.dir, "unpacked"));
  expect(await readdir(join(room.dir, "unpacked/image-optimization-function/node_modules"))).toEqual(["kept", "semver"]);
});
