import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { unzipInto, zipDirectory, zipFolderOf } from "../../engine/zip/archive.ts";

/** How the code of one function is taken out of a build's archive. */
let room: string;
beforeEach(async () => {
  room = await mkdtemp(join(tmpdir(), "archive-"));
});
afterEach(() => rm(room, { recursive: true, force: true }));

const at = (...path: string[]) => join(room, ...path);
const put = async (files: Record<string, string | Buffer>) => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(at("in", path)), { recursive: true });
    await writeFile(at("in", path), text);
  }
};
const SERVER = "server-functions/default";

it("has the bytes that packing the unpacked folder gives: names, contents, links and rights", async () => {
  const odd = ["index.mjs", "app/[slug]/page@1.js", "a b.txt", ".next/BUILD_ID", "ü/é.txt", "empty"];
  await put(Object.fromEntries(odd.map((name) => [`${SERVER}/${name}`, name === "empty" ? "" : `content of ${name} `.repeat(99)])));
  await put({ [`${SERVER}/big.bin`]: randomBytes(9_000_000), "assets/robots.txt": "1", "server-functions/default-2/index.mjs": "2" });
  for (let n = 0; n < 70; n++) await put({ [`${SERVER}/many/${n}.js`]: `file ${n}` });
  await chmod(at("in", SERVER, "a b.txt"), 0o700);
  await symlink("../a b.txt", at("in", SERVER, "app/link"));
  await zipDirectory(at("in"), at("all.zip"));

  const taken = await zipFolderOf(at("all.zip"), SERVER, at("server.zip"));
  const { entries, strayPrograms: _, ...packed } = await zipDirectory(at("in", SERVER), at("packed.zip"));
  expect(taken).toEqual(packed);
  expect((await readFile(at("server.zip"))).equals(await readFile(at("packed.zip")))).toBe(true);
  await unzipInto(at("server.zip"), at("out"));
  expect((await readdir(at("out"), { recursive: true, withFileTypes: true })).filter((item) => !item.isDirectory())).toHaveLength(
    entries.length,
  );
  expect(await readlink(at("out/app/link"))).toBe("../a b.txt");
  expect((await stat(at("out/a b.txt"))).mode & 0o777).toBe(0o755);
});

it("takes what another program packed: streamed, stored, dated, with folders of their own", async () => {
  const zip = new ZipFile();
  zip.addEmptyDirectory(`${SERVER}/`);
  zip.addReadStream(Readable.from(["z".repeat(5_000)]), `${SERVER}/z.js`, { mtime: new Date(2026, 5, 1), mode: 0o100755 });
  zip.addBuffer(Buffer.from("stored"), `${SERVER}/a.js`, { compress: false, mode: 0o100600 });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(at("all.zip")));
  await zipFolderOf(at("all.zip"), SERVER, at("server.zip"));
  await unzipInto(at("server.zip"), at("out"));
  expect([await readFile(at("out/a.js"), "utf8"), await readFile(at("out/z.js"), "utf8")]).toEqual(["stored", "z".repeat(5_000)]);
  expect([(await stat(at("out/a.js"))).mode & 0o777, (await stat(at("out/z.js"))).mode & 0o777]).toEqual([0o644, 0o755]);
});

const SECRET = Buffer.from("0123456789abcdef".repeat(4));
const OTHER = Buffer.from("fedcba9876543210".repeat(4));
const replaced = [{ from: SECRET, to: OTHER }];

it("writes something else in the place of what it is told to, in small files and in those that are not held in memory", async () => {
  const small = Buffer.from(`{"a":"${SECRET}","b":"${SECRET}${SECRET}","rest":"${"x".repeat(500)}"}`);
  const big = randomBytes(9_000_000);
  // over the edges of the pieces in which a stream may come, at the beginning, and at the very end
  const places = [0, ...[16, 32, 64, 128, 1_024].map((kilobytes) => kilobytes * 1_024 - 20), big.length - SECRET.length];
  for (const place of places) SECRET.copy(big, place);
  await put({ [`${SERVER}/small.json`]: small, [`${SERVER}/big.js`]: big, [`${SERVER}/other.js`]: "z".repeat(500) });
  await chmod(at("in", SERVER, "small.json"), 0o755);
  await zipDirectory(at("in"), at("all.zip"));
  await zipFolderOf(at("all.zip"), SERVER, at("server.zip"), { replaced });
  await unzipInto(at("server.zip"), at("out"));
  for (const place of places) OTHER.copy(big, place);
  expect(await readFile(at("out/small.json"), "utf8")).toBe(small.toString().replaceAll(SECRET.toString(), OTHER.toString()));
  expect((await stat(at("out/small.json"))).mode & 0o777).toBe(0o755);
  expect((await readFile(at("out/big.js"))).equals(big)).toBe(true);
  expect(await readFile(at("out/other.js"), "utf8")).toBe("z".repeat(500));
});

it("finds in a big file what lies over the edge of two pieces of it", async () => {
  for (const place of [64 * 1_024 - 1, 64 * 1_024 - 63, 16 * 1_024 - 32]) {
    const big = Buffer.alloc(9_000_000, "a");
    SECRET.copy(big, place);
    await put({ [`${SERVER}/big.js`]: big });
    await zipDirectory(at("in"), at("all.zip"));
    await zipFolderOf(at("all.zip"), SERVER, at("server.zip"), { replaced });
    await unzipInto(at("server.zip"), at(`out-${place}`));
    expect((await readFile(at(`out-${place}/big.js`))).indexOf(OTHER)).toBe(place);
  }
});

it("passes on as it was packed what has nothing to replace", async () => {
  await put({ [`${SERVER}/small.json`]: "{}".repeat(500), [`${SERVER}/big.js`]: randomBytes(9_000_000) });
  await zipDirectory(at("in"), at("all.zip"));
  const plain = await zipFolderOf(at("all.zip"), SERVER, at("plain.zip"));
  expect(await zipFolderOf(at("all.zip"), SERVER, at("server.zip"), { replaced })).toEqual(plain);
});

it("leaves out links to programs", async () => {
  await put({ [`${SERVER}/index.mjs`]: "1", [`${SERVER}/node_modules/semver/semver.js`]: "1" });
  await mkdir(at("in", SERVER, "node_modules/.bin"));
  await symlink("../semver/semver.js", at("in", SERVER, "node_modules/.bin/semver"));
  await zipDirectory(at("in"), at("all.zip"));
  expect(await zipFolderOf(at("all.zip"), SERVER, at("server.zip"))).toMatchObject({ files: 2 });
});

it.each([
  ["a link that leads out of it, though not out of the archive", SERVER, "link-leaves-folder", "shared"],
  ["a folder that is not there", "server-functions/other", "empty", "server-functions/other"],
])("refuses %s, and leaves nothing behind", async (_what, folder, reason, entry) => {
  await put({ [`${SERVER}/index.mjs`]: "1", "shared/x.js": "1" });
  await symlink("../../shared", at("in", SERVER, "shared"));
  await zipDirectory(at("in"), at("all.zip"));
  await expect(zipFolderOf(at("all.zip"), folder, at("server.zip"))).rejects.toMatchObject({ reason, entry });
  expect((await readdir(room)).sort()).toEqual(["all.zip", "in"]);
});

it.each([
  ["a small file", 40_000],
  ["a file that is too big to be held in memory", 9_000_000],
])("refuses content that does not match its checksum, of %s", async (_what, bytes) => {
  await put({ [`${SERVER}/code.bin`]: randomBytes(bytes) });
  await zipDirectory(at("in"), at("all.zip"));
  const archive = await readFile(at("all.zip"));
  for (const change of [(byte: number) => byte ^ 1, () => 0]) {
    const damaged = Buffer.from(archive);
    for (let n = 0; n < 40; n++) damaged[20_000 + n] = change(archive[20_000 + n] ?? 0);
    await writeFile(at("damaged.zip"), damaged);
    const refused = zipFolderOf(at("damaged.zip"), SERVER, at("server.zip"));
    await expect(refused).rejects.toMatchObject({ name: "ArchiveRefused", reason: "corrupt" });
    expect(await readdir(room)).not.toContain("server.zip");
  }
});

it("refuses content that is longer than its entry says", async () => {
  await put({ [`${SERVER}/zeros.bin`]: Buffer.alloc(100_000) });
  await zipDirectory(at("in"), at("all.zip"));
  const archive = await readFile(at("all.zip"));
  const directory = archive.indexOf(Buffer.from("504b0102", "hex"));
  archive.writeUInt32LE(99_000, directory + 24);
  await writeFile(at("all.zip"), archive);
  await expect(zipFolderOf(at("all.zip"), SERVER, at("server.zip"))).rejects.toMatchObject({ reason: "corrupt" });
});
