import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { crc32, deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { type ArchiveRefusal, ArchiveRefused, unzipInto, type Zipped, zipDirectory, zipSource } from "../../engine/zip/archive.ts";

let room: string;
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), "archive-"));
});
afterEach(() => rm(room, { recursive: true, force: true }));

const put = async (folder: string, files: Record<string, string>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(room, folder, path)), { recursive: true });
    await writeFile(join(room, folder, path), text);
  }
};
const at = (...path: string[]) => join(room, ...path);
const tree = async (folder: string) => {
  const items = await readdir(at(folder), { recursive: true, withFileTypes: true });
  return items
    .filter((item) => !item.isDirectory())
    .map((item) => join(item.parentPath, item.name).slice(at(folder).length + 1))
    .sort();
};

/** Packs in a process of its own, because a process keeps its time zone. */
const zipInZone = async (folder: string, TZ: string): Promise<Zipped> => {
  const module = new URL("../../engine/zip/archive.ts", import.meta.url).href;
  const script = `const { zipDirectory } = await import(${JSON.stringify(module)});
    console.log(JSON.stringify(await zipDirectory(${JSON.stringify(at(folder))}, ${JSON.stringify(at(`${folder}.zip`))})))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env: { TZ } });
  return JSON.parse(stdout);
};

describe("packing a folder", () => {
  const odd = ["app/[slug]/page@1.js", "app/(group)/$id.js", "a b.txt", ".hidden/.file", "ü/é.txt", "empty"];

  it("gives every name and byte back", async () => {
    await put("in", Object.fromEntries(odd.map((name) => [name, name === "empty" ? "" : `content of ${name}`])));
    await chmod(at("in/a b.txt"), 0o700);
    await symlink("../a b.txt", at("in/app/link"));
    const zipped = await zipDirectory(at("in"), at("x.zip"));
    expect(zipped.files).toBe(7);
    expect((await stat(at("x.zip"))).size).toBe(zipped.bytes);

    expect((await unzipInto(at("x.zip"), at("out"))).files).toBe(7);
    expect(await tree("out")).toEqual([...odd, "app/link"].sort());
    for (const name of odd) expect(await readFile(at("out", name), "utf8")).toBe(await readFile(at("in", name), "utf8"));
    expect(await readlink(at("out/app/link"))).toBe("../a b.txt");
    expect((await stat(at("out/a b.txt"))).mode & 0o777).toBe(0o755);
    expect((await stat(at("out/empty"))).mode & 0o777).toBe(0o644);
  });

  it("makes the same bytes from the same content, whatever the dates, rights, order and time zone", async () => {
    const files = Object.entries(Object.fromEntries(odd.map((name) => [name, name.repeat(99)])));
    await put("one", Object.fromEntries(files));
    await put("two", Object.fromEntries(files.reverse()));
    await utimes(at("two/empty"), 1, 1);
    await chmod(at("two/empty"), 0o600);
    const one = await zipInZone("one", "America/New_York");
    const two = await zipInZone("two", "Pacific/Kiritimati");
    expect(two).toEqual(one);
    expect(Buffer.from(one.sha256Base64, "base64").toString("hex")).toBe(one.sha256Hex);
  });

  it("leaves out what it is told to, without looking into left-out folders", async () => {
    await put("in", { "keep.js": "1", "skip.js": "2", "dir/inside.js": "3" });
    const asked: string[] = [];
    await zipDirectory(at("in"), at("x.zip"), {
      include: (path, directory) => {
        asked.push(path);
        return !directory && path !== "skip.js";
      },
    });
    await unzipInto(at("x.zip"), at("out"));
    expect(await tree("out")).toEqual(["keep.js"]);
    expect(asked.sort()).toEqual(["dir", "keep.js", "skip.js"]);
  });

  it("stores what links point to when told to follow them", async () => {
    await put("elsewhere", { "lib/index.js": "lib" });
    await put("in", { "a.js": "a" });
    await symlink(at("elsewhere/lib"), at("in/lib"));
    await zipDirectory(at("in"), at("x.zip"), { symlinks: "follow" });
    await unzipInto(at("x.zip"), at("out"));
    expect(await tree("out")).toEqual(["a.js", "lib/index.js"]);
  });

  it("refuses followed links that never end, and leaves no half archive", async () => {
    await put("in", { "a/b/c.js": "c" });
    await symlink("..", at("in/a/b/up"));
    await expect(zipDirectory(at("in"), at("x.zip"), { symlinks: "follow" })).rejects.toMatchObject({
      reason: "link-loop",
      entry: "a/b/up",
    });
    expect(await readdir(room)).toEqual(["in"]);
  });

  it("packs 20 MB in 1,200 files, and unpacks the same", async () => {
    await mkdir(at("in"));
    const source = await readFile(new URL("../../node_modules/typescript/lib/typescript.js", import.meta.url));
    for (let n = 0; n < 1200; n++) await writeFile(at("in", `${n}.js`), source.subarray((n * 7000) % 8_000_000).subarray(0, 17_000));
    await zipDirectory(at("in"), at("x.zip"));
    expect(await unzipInto(at("x.zip"), at("out"))).toMatchObject({ files: 1200, bytes: 1200 * 17_000 });
    expect(await readFile(at("out", "777.js"))).toEqual(await readFile(at("in", "777.js")));
  });
});

describe("unpacking a part", () => {
  const only = (path: string) => path.startsWith("assets/");

  it("writes what is wanted alone, and says what else there is", async () => {
    await put("in", { "assets/a.js": "a", "server/index.mjs": "code", "server/empty": "" });
    await symlink("a.js", at("in/assets/link"));
    await symlink("index.mjs", at("in/server/link"));
    await zipDirectory(at("in"), at("x.zip"));
    expect(await unzipInto(at("x.zip"), at("out"), { only })).toEqual({
      files: 2,
      bytes: 14,
      held: [
        { path: "assets/a.js", bytes: 1 },
        { path: "assets/link", bytes: 4 },
        { path: "server/empty", bytes: 0 },
        { path: "server/index.mjs", bytes: 4 },
        { path: "server/link", bytes: 9 },
      ],
    });
    expect(await tree("out")).toEqual(["assets/a.js", "assets/link"]);
    expect(await readdir(at("out"))).toEqual(["assets"]);
  });
});

describe("links to programs of packages", () => {
  it("are left out where they lead nowhere or out of the folder, and named", async () => {
    await put("in", { "node_modules/semver/semver.js": "1", "a.js": "" });
    await mkdir(at("in/node_modules/.bin"));
    await symlink("../semver/semver.js", at("in/node_modules/.bin/semver"));
    await symlink("../gone/gone.js", at("in/node_modules/.bin/gone"));
    await symlink("/usr/bin/env", at("in/node_modules/.bin/away"));
    const { entries, strayPrograms } = await zipDirectory(at("in"), at("x.zip"));
    expect(entries.map(({ path }) => path)).toEqual(["a.js", "node_modules/.bin/semver", "node_modules/semver/semver.js"]);
    expect(strayPrograms.toSorted()).toEqual(["node_modules/.bin/away", "node_modules/.bin/gone"]);
    expect((await zipDirectory(at("in"), at("y.zip"), { symlinks: "follow" })).strayPrograms).toEqual(["node_modules/.bin/gone"]);
  });

  it("do not stop an archive that another program packed from being unpacked", async () => {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from("/usr/bin/env"), "node_modules/.bin/away", { mode: 0o120777 });
    zip.addBuffer(Buffer.from("1"), "a.js");
    zip.end();
    await writeFile(at("x.zip"), zip.outputStream);
    await unzipInto(at("x.zip"), at("out"));
    expect(await tree("out")).toEqual(["a.js"]);
  });
});

describe("packing an app's source", () => {
  it("leaves out dependencies, output, ignored files and secrets", async () => {
    await put("app", {
      "package.json": "{}",
      ".env": "SECRET=1",
      ".env.local": "SECRET=2",
      ".env.example": "SECRET=",
      ".env.production": "PUBLIC=1",
      "node_modules/x/index.js": "",
      "packages/a/node_modules/x.js": "",
      ".git/config": "",
      ".next/x": "",
      ".open-next/x": "",
      ".shiplog/x": "",
      ".sst/x": "",
      ".gitignore": "*.log\n/out\n.env*\n",
      ".shiplogignore": "docs/\n",
      "docs/a.md": "",
      "out/a.js": "",
      "src/out/a.js": "",
      "src/a.log": "",
      "src/.gitignore": "!keep.log\nlocal.ts\n",
      "src/keep.log": "",
      "src/local.ts": "",
      "local.ts": "",
    });
    const { leftOut } = await zipSource(at("app"), at("x.zip"), { envFiles: ["./.env.production"] });
    expect(leftOut.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: ".env", why: "secret" },
      { path: ".env.local", why: "local-values" },
      { path: "docs", why: "shiplogignore" },
    ]);
    await unzipInto(at("x.zip"), at("out"));
    expect(await tree("out")).toEqual([
      ".env.production",
      ".gitignore",
      ".shiplogignore",
      "local.ts",
      "package.json",
      "src/.gitignore",
      "src/keep.log",
      "src/out/a.js",
    ]);
  });

  it("leaves out a file of values that a .shiplogignore names, whoever needs it", async () => {
    await put("app", { ".env": "A=1", "a.js": "", ".shiplogignore": ".env\n" });
    const { entries, leftOut } = await zipSource(at("app"), at("x.zip"), { envFiles: [".env"] });
    expect(entries.map(({ path }) => path)).toEqual([".shiplogignore", "a.js"]);
    expect(leftOut).toEqual([{ path: ".env", why: "shiplogignore" }]);
  });

  it("takes an absolute link that stays inside, as a relative one", async () => {
    await put("app", { "docs/a.md": "guide" });
    await mkdir(at("app/public"));
    await symlink(at("app/docs/a.md"), at("app/public/guide.md"));
    await symlink(at("app/docs"), at("app/public/all"));
    await zipSource(at("app"), at("x.zip"));
    await rm(at("app"), { recursive: true });
    await unzipInto(at("x.zip"), at("out"));
    expect(await readlink(at("out/public/guide.md"))).toBe("../docs/a.md");
    expect(await readFile(at("out/public/all/a.md"), "utf8")).toBe("guide");
  });

  it("takes .env.example along", async () => {
    await put("app", { ".env.example": "SECRET=", "a.js": "" });
    await zipSource(at("app"), at("x.zip"));
    await unzipInto(at("x.zip"), at("out"));
    expect(await tree("out")).toEqual([".env.example", "a.js"]);
  });

  it.each([
    ["upwards", "../../secret"],
    ["to an absolute path", "/etc/passwd"],
  ])("refuses a link that leaves the folder %s, naming it", async (_how, target) => {
    await put("app", { "src/a.js": "" });
    await symlink(target, at("app/src/link"));
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject({ reason: "link-leaves-folder", entry: "src/link" });
  });

  it("names a socket, a named pipe and a device, and hangs at none of them", async () => {
    await put("app", { "a.js": "" });
    execFileSync("mkfifo", [at("app/pipe")]);
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject({
      reason: "special-file",
      message: '"pipe": it is a named pipe: only files, folders and symbolic links can be packed',
    });
    await put("app", { ".shiplogignore": "pipe\n" });
    execFileSync("mkfifo", [at("app/.gitignore")]);
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject({ reason: "special-file", entry: ".gitignore" });
  });

  it.runIf(process.platform === "linux")("names a file, a folder and a link whose name is not UTF-8", async () => {
    const latin1 = (name: string) => Buffer.concat([Buffer.from(`${at("app")}/`), Buffer.from(name, "latin1")]);
    const refused = {
      reason: "unsafe-name",
      entry: "gr\uFFFDn",
      message: expect.stringContaining("the name is not UTF-8; rename the file"),
    };
    await put("app", { "a.js": "", "gr\uFFFDner": "this one is really called so" });
    await writeFile(latin1("gr\u00fcn"), "");
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject(refused);
    await rm(latin1("gr\u00fcn"));
    await mkdir(latin1("gr\u00fcn"));
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject(refused);
    await rm(latin1("gr\u00fcn"), { recursive: true });
    await symlink("a.js", latin1("gr\u00fcn"));
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject(refused);
    await rm(latin1("gr\u00fcn"));
    await symlink(Buffer.from("gr\u00fcn", "latin1"), at("app/link"));
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toMatchObject({
      entry: "link",
      message: expect.stringContaining("target is not UTF-8"),
    });
    await rm(at("app/link"));
    expect((await zipSource(at("app"), at("x.zip"))).entries).toEqual([
      { path: "a.js", executable: false, link: false },
      { path: "gr\uFFFDner", executable: false, link: false },
    ]);
  });

  it("passes over a byte order mark in an ignore file", async () => {
    await put("app", { ".gitignore": "\uFEFFout.txt\n", "out.txt": "", "a.js": "" });
    expect((await zipSource(at("app"), at("x.zip"))).entries.map(({ path }) => path)).toEqual([".gitignore", "a.js"]);
  });

  it("names what may not be read, or went away while it was packed", async () => {
    await put("app", { "a.js": "", "b.js": "" });
    const include = async (path: string) => {
      if (path === "b.js") await rm(at("app/b.js"));
      return true;
    };
    await expect(zipDirectory(at("app"), at("x.zip"), { include })).rejects.toMatchObject({
      reason: "unreadable",
      message: '"b.js": it cannot be read (ENOENT)',
    });
  });

  it("says so when there is nothing to build", async () => {
    await put("app", { "node_modules/a.js": "" });
    await expect(zipSource(at("app"), at("x.zip"))).rejects.toThrow("nothing to build");
  });
});

type Crafted = { name: string; content?: Buffer; mode?: number; flags?: number; method?: number; claims?: number; sum?: number };

/** Writes the bytes of a zip by hand, so that it may lie. */
const craft = async (...entries: Crafted[]) => {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content = Buffer.from("x"), mode = 0o100644, flags = 0, method = 8, claims = content.length, sum } of entries) {
    const packed = method === 8 ? deflateRawSync(content) : content;
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(0x800 | flags, 2);
    shared.writeUInt16LE(method, 4);
    shared.writeUInt32LE(sum ?? crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(claims, 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("504b01023f03", "hex"), shared, rest, Buffer.from(name));
    const local = Buffer.concat([Buffer.from("504b0304", "hex"), shared, Buffer.from(name), packed]);
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  await writeFile(at("x.zip"), Buffer.concat([...locals, ...directory, end]));
};
const link = (name: string, target: string): Crafted => ({ name, content: Buffer.from(target), mode: 0o120777 });

describe("unpacking what somebody else packed", () => {
  const refuses = async (reason: ArchiveRefusal, entry?: string, limits = {}) => {
    await mkdir(at("deep/out"), { recursive: true });
    const error = await unzipInto(at("x.zip"), at("deep/out"), limits).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ArchiveRefused);
    expect(error).toMatchObject(entry === undefined ? { reason } : { reason, entry });
    expect(await tree("deep")).toEqual([]);
    expect((await readdir(room)).sort()).toEqual(["deep", "x.zip"]);
  };

  it("looks at the names and links of what it does not write, too", async () => {
    const only = (path: string) => path === "a";
    await craft({ name: "a" }, { name: "b/../../c" });
    await expect(unzipInto(at("x.zip"), at("out"), { only })).rejects.toMatchObject({ reason: "unsafe-name" });
    await craft({ name: "a" }, { name: "l", mode: 0o120777, content: Buffer.from("../..") });
    await expect(unzipInto(at("x.zip"), at("out"), { only })).rejects.toMatchObject({ reason: "link-leaves-folder" });
  });

  it("unpacks a crafted archive that is in order", async () => {
    await craft({ name: "a/b.txt" }, { name: "c/", mode: 0o040755, content: Buffer.alloc(0) }, link("a/l", "../c"));
    expect(await unzipInto(at("x.zip"), at("out"))).toMatchObject({ files: 2, bytes: 5 });
  });

  it.each(["../evil", "a/../../evil", "..", "/etc/evil", "C:evil", "c:/evil", "a\\..\\evil", "\\evil", "a\0b", "", "a//b", "./a", "a/."])(
    "refuses the name %j",
    async (name) => {
      await craft({ name: "fine.txt" }, { name });
      await refuses("unsafe-name", name);
    },
  );

  it("refuses a safe name that hides an unsafe one in the Unicode path field", async () => {
    await craft({ name: "ok" });
    const bytes = await readFile(at("x.zip"));
    const hidden = Buffer.from("../evil");
    const field = Buffer.alloc(9 + hidden.length);
    field.writeUInt16LE(0x7075, 0);
    field.writeUInt16LE(5 + hidden.length, 2);
    field.writeUInt8(1, 4);
    field.writeUInt32LE(crc32("ok"), 5);
    hidden.copy(field, 9);
    const end = bytes.length - 22;
    bytes.writeUInt16LE(field.length, bytes.readUInt32LE(end + 16) + 30);
    await writeFile(at("x.zip"), Buffer.concat([bytes.subarray(0, end), field, bytes.subarray(end)]));
    await refuses("unsafe-name", "../evil");
  });

  it.each([
    ["upwards", [link("l", "../outside")], "l"],
    ["to an absolute path", [link("l", "/etc/passwd")], "l"],
    ["from a folder, one level too many", [link("a/b/l", "../../../x")], "a/b/l"],
    ["through another link", [link("a/up", ".."), link("l", "a/up/../x")], "l"],
    ["through a chain of links", [link("d/one", "../d/two"), link("d/two", ".."), link("l", "d/one/../../x")], "l"],
  ])("refuses a link that leaves the folder %s", async (_how, entries, entry) => {
    await craft({ name: "fine.txt" }, ...entries);
    await refuses("link-leaves-folder", entry);
  });

  it("refuses links in a circle", async () => {
    await craft(link("a", "b"), link("b", "a"));
    await refuses("link-loop");
  });

  it("refuses to write through a link, even one that stays inside", async () => {
    await craft({ name: "dir/x" }, link("l", "dir"), { name: "l/evil" });
    await refuses("writes-through-link", "l/evil");
  });

  it("refuses a name twice, also as file and folder, also as link and file", async () => {
    await craft({ name: "a" }, { name: "a" });
    await refuses("duplicate-name", "a");
    await craft({ name: "a" }, { name: "a/b" });
    await refuses("duplicate-name", "a");
    await craft(link("a", "b"), { name: "a" });
    await refuses("duplicate-name", "a");
  });

  it.each([
    ["a device", 0o060666],
    ["a character device", 0o020666],
    ["a pipe", 0o010666],
    ["a socket", 0o140666],
  ])("refuses %s", async (_what, mode) => {
    await craft({ name: "special", mode });
    await refuses("special-file", "special");
  });

  it("refuses encrypted entries", async () => {
    await craft({ name: "secret", flags: 1 });
    await refuses("encrypted", "secret");
    await craft({ name: "secret", flags: 0x41 });
    await refuses("corrupt");
  });

  it("refuses too many entries", async () => {
    await craft(...Array.from({ length: 5 }, (_, n) => ({ name: `${n}` })));
    await refuses("too-many-files", undefined, { maxFiles: 4 });
  });

  it("refuses too many bytes, by the header", async () => {
    await craft({ name: "big", content: Buffer.alloc(2000, "ab") });
    await refuses("too-large", "big", { maxBytes: 1999 });
  });

  it("refuses more bytes than the header claims, however small the claim", async () => {
    await craft({ name: "big", content: Buffer.alloc(30_000_000), claims: 10 });
    await refuses("corrupt", "big");
  });

  it("refuses a bomb by its ratio", async () => {
    await craft({ name: "bomb", content: Buffer.alloc(30_000_000) });
    await refuses("ratio", "bomb");
  });

  it("refuses entries that share their bytes", async () => {
    await craft({ name: "one", content: Buffer.alloc(50_000, "random? no") }, { name: "two", content: Buffer.from("y") });
    const bytes = await readFile(at("x.zip"));
    const second = bytes.lastIndexOf(Buffer.from("504b0102", "hex"));
    const first = bytes.indexOf(Buffer.from("504b0102", "hex"));
    bytes.copy(bytes, second + 16, first + 16, first + 28); // checksum and sizes
    bytes.writeUInt32LE(0, second + 42);
    const many = Buffer.concat([
      bytes.subarray(0, second),
      ...Array.from({ length: 20 }, (_, n) => renamed(bytes, second, n)),
      bytes.subarray(-22),
    ]);
    many.writeUInt16LE(21, many.length - 14);
    many.writeUInt16LE(21, many.length - 12);
    await writeFile(at("x.zip"), many);
    await refuses("ratio");
  });
  const renamed = (bytes: Buffer, from: number, n: number) => {
    const record = Buffer.from(bytes.subarray(from, bytes.length - 22));
    record.write(`z${String(n).padStart(2, "0")}`, 46);
    return record;
  };

  it("refuses content that does not match its checksum, and what is no zip at all", async () => {
    await craft({ name: "a", sum: 1 });
    await refuses("corrupt", "a");
    await writeFile(at("x.zip"), "not a zip");
    await refuses("corrupt");
    await craft({ name: "a", method: 12 });
    await refuses("corrupt", "a");
  });

  it("refuses a folder that already holds something, and leaves it alone", async () => {
    await craft({ name: "a" });
    await put("out", { mine: "mine" });
    await expect(unzipInto(at("x.zip"), at("out"))).rejects.toMatchObject({ reason: "not-empty" });
    expect(await tree("out")).toEqual(["mine"]);
  });
});
