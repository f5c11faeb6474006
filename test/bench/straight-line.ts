import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  GetFunctionConfigurationCommand,
  type LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from "@aws-sdk/client-lambda";
import { GetObjectCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { openPromise } from "yauzl";
import { ZipFile } from "yazl";

export type Target = {
  readonly clients: { readonly s3: S3Client; readonly lambda: LambdaClient };
  readonly artifact: { readonly bucket: string; readonly key: string };
  readonly files: { readonly bucket: string; readonly assets: string; readonly cache: string };
  /** folder below the output → name of its function */
  readonly functions: ReadonlyMap<string, string>;
  readonly codeBucket: string;
};

const UPLOADS = 16;
const POLL_MS = 100;

/**
 * What a plain deploy handler does with a finished build, by calls of the SDK and two zip libraries, with no code of the
 * engine: fetch, unpack, put every file, zip each function, update its code, publish it, wait, move its alias.
 *
 * @returns milliseconds until every alias was moved
 */
export const deployStraight = async ({ clients, artifact, files, functions, codeBucket }: Target): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-script-"));
  try {
    const began = performance.now();
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: artifact.bucket, Key: artifact.key }));
    await pipeline(Body as Readable, createWriteStream(join(folder, "output.zip")));
    await unpack(join(folder, "output.zip"), join(folder, "output"));
    for (const [part, prefix] of [
      ["assets", files.assets],
      ["cache", files.cache],
    ] as const)
      await putAll(clients.s3, files.bucket, prefix, join(folder, "output", part));
    const versions = await Promise.all(
      [...functions].map(async ([part, name]) => [name, await publish(name, join(folder, "output", part))] as const),
    );
    for (const [FunctionName, FunctionVersion] of versions)
      await clients.lambda.send(new UpdateAliasCommand({ FunctionName, Name: "live", FunctionVersion }));
    return performance.now() - began;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }

  async function publish(FunctionName: string, code: string): Promise<string> {
    const zip = join(folder, `${FunctionName}.zip`);
    await pack(code, zip);
    const Key = `functions/${FunctionName}-${Date.now()}.zip`;
    await clients.s3.send(new PutObjectCommand({ Bucket: codeBucket, Key, Body: await readFile(zip) }));
    await clients.lambda.send(new UpdateFunctionCodeCommand({ FunctionName, S3Bucket: codeBucket, S3Key: Key }));
    await settled(FunctionName);
    const { Version = "" } = await clients.lambda.send(new PublishVersionCommand({ FunctionName }));
    await settled(`${FunctionName}:${Version}`);
    return Version;
  }

  async function settled(FunctionName: string): Promise<void> {
    for (;;) {
      const { State, LastUpdateStatus } = await clients.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      if (State === "Active" && LastUpdateStatus === "Successful") return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
};

const unpack = async (archive: string, into: string): Promise<void> => {
  const zip = await openPromise(archive, { autoClose: false });
  for await (const entry of zip.eachEntry()) {
    const path = join(into, entry.fileName);
    if (entry.fileName.endsWith("/")) continue;
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path));
  }
  zip.close();
};

const filesOf = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((item) => item.isFile())
    .map((item) => relative(folder, join(item.parentPath, item.name)));

const putAll = async (s3: S3Client, Bucket: string, prefix: string, folder: string): Promise<void> => {
  const left = await filesOf(folder);
  const worker = async (): Promise<void> => {
    for (let path = left.pop(); path !== undefined; path = left.pop())
      await s3.send(new PutObjectCommand({ Bucket, Key: `${prefix}/${path}`, Body: await readFile(join(folder, path)) }));
  };
  await Promise.all(Array.from({ length: UPLOADS }, worker));
};

const pack = async (folder: string, target: string): Promise<void> => {
  const zip = new ZipFile();
  for (const path of (await filesOf(folder)).sort())
    zip.addReadStreamLazy(path, (give) => give(null, createReadStream(join(folder, path))));
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
};
