import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { ArchiveRefused, unzipInto } from "../../engine/zip/archive.ts";
import { uploadArtifact } from "./artifacts.ts";
import {
  type Build,
  type BuildCut,
  type BuildRecord,
  type BuildStatus,
  beginPhase,
  type CommandPhase,
  endPhase,
  type Phase,
  PhaseFailed,
  type PhaseType,
} from "./build.ts";
import type { BuildLog } from "./build-log.ts";
import { type Buildspec, commandsOf, isInline, parseBuildspec } from "./buildspec.ts";
import { openCache } from "./cache.ts";
import { type BuildFolders, baseEnvironment, declaredEnvironment } from "./environment.ts";
import { openSession, type Session } from "./session.ts";

export type BuildPorts = {
  readonly s3: S3Client;
  readonly log: BuildLog;
  /** Called after every change of the build, with the phase that has just ended, if one has. */
  changed(phase?: Phase): Promise<void>;
  secret(secretId: string): Promise<string>;
  readonly environment: Readonly<Record<string, string>>;
  /** Makes this build's own folder, which is removed here; rejects with PhaseFailed where there is no place for one. */
  makeFolder(): Promise<string>;
  /** The folder of cached paths; `undefined` where the build has no cache. */
  readonly cacheFolder: string | undefined;
};

/**
 * Takes a build from PROVISIONING to before COMPLETED and returns the status it ends with.
 * Rejects with `BuildCut` when `signal` cuts it; then too nothing of it is left running.
 */
export async function runBuild(record: BuildRecord, ports: BuildPorts, signal: AbortSignal): Promise<BuildStatus> {
  const { build } = record;
  const { log } = ports;
  let folders: BuildFolders | undefined;
  let session: Session | undefined;
  let status: BuildStatus = "SUCCEEDED";

  /** Runs one phase; `false` means that it failed and the build with it. */
  async function phase(type: PhaseType, work: () => Promise<void>): Promise<boolean> {
    signal.throwIfAborted();
    beginPhase(build, type);
    log.say(`Entering phase ${type}`);
    await ports.changed();
    try {
      await work();
      signal.throwIfAborted();
    } catch (error) {
      if (signal.aborted) {
        const { why } = signal.reason as BuildCut;
        if (why !== "closing")
          await ended(why === "STOPPED" ? "STOPPED" : "TIMED_OUT", "", `the build was ${why === "STOPPED" ? "stopped" : "timed out"}`);
        throw signal.reason;
      }
      const known = error instanceof PhaseFailed;
      if (!known) console.error(`codebuild: ${build.id} failed in ${type}:`, error);
      await ended(known ? "FAILED" : "FAULT", known ? error.statusCode : "INTERNAL_SERVICE_ERROR", (error as Error).message);
      if (status === "SUCCEEDED") status = known ? "FAILED" : "FAULT";
      return false;
    }
    await ended("SUCCEEDED", "", "");
    return true;
  }

  async function ended(outcome: NonNullable<Phase["phaseStatus"]>, statusCode: string, message: string) {
    const masked = log.mask(message);
    const done = endPhase(build, outcome, [{ statusCode, message: masked }]);
    log.say(`Phase complete: ${done.phaseType} State: ${outcome}`);
    log.say(`Phase context status code: ${statusCode} Message: ${masked}`);
    await ports.changed(done);
  }

  async function commands(type: CommandPhase, spec: Buildspec, shell: Session): Promise<boolean> {
    const section = commandsOf(spec, type);
    const before = status;
    let failure: unknown;
    const passed = await phase(type, async () => {
      if (section?.["runtime-versions"]) log.say(`runtime-versions are not looked at: this build has Node ${process.version}`);
      try {
        await each(section?.commands ?? []);
      } catch (error) {
        failure = error;
      }
      if (!signal.aborted) await each(section?.finally ?? []);
      if (failure) throw failure;
    });
    if (passed || section?.["on-failure"] !== "CONTINUE") return passed;
    status = before; // the buildspec says that this phase's failure is not the build's
    return true;

    async function each(list: readonly string[]) {
      for (const command of list) {
        log.say(`Running command ${command}`);
        const code = await shell.run(command);
        if (code === 0) continue;
        log.say(`Command did not exit successfully ${command} exit status ${code}`);
        throw new PhaseFailed("COMMAND_EXECUTION_ERROR", `Error while executing command: ${command}. Reason: exit status ${code}`);
      }
    }
  }

  try {
    let spec: Buildspec | undefined;
    let shell: Session | undefined;
    const cacheOf = (paths: readonly string[] = []) => (ports.cacheFolder === undefined ? undefined : openCache(ports.cacheFolder, paths));

    const provisioned = await phase("PROVISIONING", async () => {
      const whole = await ports.makeFolder();
      folders = { whole, src: join(whole, "src"), tmp: join(whole, "tmp"), global: join(whole, "global") };
      for (const path of [folders.src, folders.tmp, folders.global]) await mkdir(path);
    });
    const at = folders as BuildFolders | undefined;
    const ready =
      provisioned &&
      at !== undefined &&
      (await phase("DOWNLOAD_SOURCE", async () => {
        await downloadSource(build, ports.s3, at.src, join(at.whole, "source.zip"), signal);
        spec = await readBuildspec(build, at.src);
        const declared = await declaredEnvironment(build, spec, ports.secret);
        log.hide(declared.secrets);
        const restored = await cacheOf(spec.cache?.paths)?.restore(at.src);
        if (restored !== undefined && restored.length > 0) log.say(`Restored from the cache: ${restored.join(", ")}`);
        const env = {
          ...baseEnvironment(build, at, process.env),
          ...ports.environment,
          ...declared.values,
          CODEBUILD_BUILD_ID: build.id,
        };
        session = await openSession({
          buildId: build.id,
          folder: join(at.whole, "session"),
          cwd: at.src,
          shell: spec.env.shell,
          env,
          signal,
          output: log.output,
        });
        shell = session;
      }));

    if (ready && at && spec && shell) {
      const { env, artifacts, cache: cached } = spec;
      const live = shell;
      if ((await commands("INSTALL", spec, live)) && (await commands("PRE_BUILD", spec, live))) {
        const built = await commands("BUILD", spec, live);
        if (!built) await live.run("export CODEBUILD_BUILD_SUCCEEDING=0");
        // As on CodeBuild: the phases after BUILD run even if it failed.
        await commands("POST_BUILD", spec, live);
        const values = await live.read(env["exported-variables"]);
        build.exportedEnvironmentVariables = values.map(({ name, value }) => ({ name, value: log.mask(value) }));
        await phase("UPLOAD_ARTIFACTS", async () => {
          const target = record.artifactTarget;
          if (!artifacts || !target) return;
          build.artifacts = await uploadArtifact(ports.s3, artifacts, target, at.src, join(at.whole, "artifact.zip"), signal);
        });
      }
      await phase("FINALIZING", async () => {
        await live.close();
        if (status === "SUCCEEDED") await cacheOf(cached?.paths)?.save(at.src);
      });
    } else {
      await phase("FINALIZING", async () => {});
    }
    return status;
  } finally {
    // Without a session there may still be nothing to end; with one, a cut build ends here.
    await session?.close();
    if (folders) await rm(folders.whole, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function downloadSource(build: Build, s3: S3Client, src: string, zipFile: string, signal: AbortSignal): Promise<void> {
  const { type, location = "" } = build.source;
  if (type === "NO_SOURCE") return;
  const [bucket = "", ...key] = location.replace(/^arn:aws:s3:::/, "").split("/");
  try {
    const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key.join("/") }), { abortSignal: signal });
    await pipeline(object.Body as Readable, createWriteStream(zipFile), { signal });
    const version = object.VersionId ?? build.sourceVersion;
    if (version) build.resolvedSourceVersion = version;
  } catch (cause) {
    signal.throwIfAborted();
    throw new PhaseFailed("CLIENT_ERROR", `error while downloading the source s3://${location}: ${(cause as Error).message}`, { cause });
  }
  try {
    await unzipInto(zipFile, src);
  } catch (cause) {
    if (!(cause instanceof ArchiveRefused)) throw cause;
    throw new PhaseFailed("CLIENT_ERROR", `the source archive is refused (${cause.reason}): ${cause.message}`, { cause });
  }
  await rm(zipFile);
}

async function readBuildspec(build: Build, src: string): Promise<Buildspec> {
  const { buildspec = "buildspec.yml" } = build.source;
  if (isInline(buildspec)) return parseBuildspec(buildspec);
  if (buildspec.split("/").includes("..")) throw new PhaseFailed("YAML_FILE_ERROR", `the buildspec ${buildspec} is not in the source`);
  const source = await readFile(join(src, buildspec), "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new PhaseFailed("YAML_FILE_ERROR", `the source has no readable ${buildspec} (${cause.code})`, { cause });
  });
  return parseBuildspec(source);
}
