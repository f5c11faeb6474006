import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { workFolder } from "../../operator/infrastructure/sst.ts";

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), "shiplog-work-"));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

describe("the folder in which SST works", () => {
  it("has links to the sources of the package, or of a clone, and is not seen by git", async () => {
    mkdirSync(join(room, "package/aws"), { recursive: true });
    const folder = join(room, "data/aws");
    await workFolder(join(room, "package"), folder);
    expect(readlinkSync(join(folder, "infra"))).toBe(join(room, "package/aws/infra"));
    expect(readdirSync(folder)).toEqual(expect.arrayContaining([".gitignore", "sst.config.ts", "services", "package.json"]));
    await workFolder(join(room, "clone"), folder);
    expect(readlinkSync(join(folder, "infra"))).toBe(join(room, "clone/infra"));
  });

  it("leaves what is right as it is while SST works there, and what is not its own", async () => {
    const folder = join(room, "aws");
    await workFolder(join(room, "clone"), folder);
    symlinkSync(room, join(folder, "of-somebody"));
    mkdirSync(join(folder, ".sst"));
    writeFileSync(join(folder, ".sst/state"), "");
    const before = lstatSync(join(folder, "services")).ino;
    await Promise.all([1, 2, 3].map(() => workFolder(join(room, "clone"), folder)));
    expect(lstatSync(join(folder, "services")).ino).toBe(before);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["of-somebody", ".sst"]));
  });
});
