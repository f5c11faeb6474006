import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import type { RecordStore } from "../record-store.ts";
import { BuildCut, type BuildRecord, type BuildStatus, endBuild, endPhase, submit, uuidOf } from "./build.ts";
import { type BusEvent, phaseChange, stateChange } from "./build-events.ts";
import { type LogLine, openLog } from "./build-log.ts";
import { runBuild } from "./run-build.ts";
import type { WorkFolders } from "./work-folders.ts";

export type QueueOptions = {
  /** Holds what builds keep for later ones, by the location of their cache. */
  readonly cacheFolder: string;
  readonly workFolders: Pick<WorkFolders, "make">;
  readonly builds: RecordStore<BuildRecord>;
  readonly s3: S3Client;
  emit(event: BusEvent): Promise<void>;
  appendLog(group: string, stream: string, lines: LogLine[]): void | Promise<void>;
  secret(secretId: string): Promise<string>;
  readonly environment: Readonly<Record<string, string>>;
  readonly maxConcurrentBuilds: number;
  /** How long a minute of a build's limits takes. Only tests shorten it. */
  readonly minuteMs: number;
};

/** Runs builds, oldest first and no more at once than the account may; ends the waiting ones that are stopped or too old. */
export type Queue = {
  add(record: BuildRecord): void;
  stop(record: BuildRecord): Promise<void>;
  close(): Promise<void>;
};

export function openQueue(options: QueueOptions): Queue {
  const { builds, minuteMs } = options;
  const waiting: { record: BuildRecord; timer: NodeJS.Timeout }[] = [];
  const running = new Map<BuildRecord, { cut: AbortController; done: Promise<void> }>();
  const announcing = new Map<string, Promise<void>>();
  let closed = false;

  const save = (record: BuildRecord) => builds.put(record.build.id, record);

  /** Events of one build go out one after another; the build never waits for them. */
  function announce(record: BuildRecord, event: BusEvent, status?: BuildStatus): void {
    const { id } = record.build;
    const turn = (announcing.get(id) ?? Promise.resolve()).then(async () => {
      try {
        await options.emit(event);
        if (status === undefined) return;
        record.announced = status;
        save(record);
      } catch (error) {
        console.error(`codebuild: an event of ${id} was not delivered:`, error);
      }
    });
    announcing.set(id, turn);
    void turn.then(() => {
      if (announcing.get(id) === turn) announcing.delete(id);
    });
  }
  const announceState = (record: BuildRecord) => announce(record, stateChange(structuredClone(record.build)), record.build.buildStatus);

  async function end(record: BuildRecord, status: BuildStatus): Promise<void> {
    endBuild(record.build, status);
    save(record); // first, so that whoever hears of the end also reads it
    announceState(record);
  }

  function next(): void {
    while (!closed && running.size < options.maxConcurrentBuilds) {
      const first = waiting.shift();
      if (!first) return;
      clearTimeout(first.timer);
      const cut = new AbortController();
      const done = run(first.record, cut)
        .catch((error) => console.error(`codebuild: ${first.record.build.id}:`, error))
        .finally(() => {
          running.delete(first.record);
          next();
        });
      running.set(first.record, { cut, done });
    }
  }

  async function run(record: BuildRecord, cut: AbortController): Promise<void> {
    const { build } = record;
    announce(record, phaseChange(structuredClone(build), endPhase(build, "SUCCEEDED")));
    const timer = setTimeout(() => cut.abort(new BuildCut("TIMED_OUT")), build.timeoutInMinutes * minuteMs);
    const log = openLog((lines) => options.appendLog(build.logs.groupName, build.logs.streamName, lines));
    const ports = {
      s3: options.s3,
      log,
      secret: options.secret,
      environment: options.environment,
      makeFolder: () => options.workFolders.make(uuidOf(build)),
      cacheFolder: record.cacheLocation === undefined ? undefined : join(options.cacheFolder, encodeURIComponent(record.cacheLocation)),
      async changed(phase?: Parameters<typeof phaseChange>[1]) {
        save(record);
        if (phase) announce(record, phaseChange(structuredClone(build), phase));
      },
    };
    let status: BuildStatus | undefined;
    try {
      status = await runBuild(record, ports, cut.signal);
    } catch (error) {
      const why = error instanceof BuildCut ? error.why : "FAULT";
      if (why === "FAULT") console.error(`codebuild: ${build.id} broke:`, error);
      status = why === "closing" ? undefined : why;
    } finally {
      clearTimeout(timer);
      await log.flush();
    }
    if (status !== undefined) await end(record, status);
  }

  async function leaveQueue(record: BuildRecord, status: "STOPPED" | "TIMED_OUT"): Promise<void> {
    const index = waiting.findIndex((one) => one.record === record);
    if (index === -1) return;
    clearTimeout(waiting[index]?.timer);
    waiting.splice(index, 1);
    endPhase(record.build, status);
    await end(record, status);
  }

  function add(record: BuildRecord): void {
    const limit = record.build.queuedTimeoutInMinutes * minuteMs;
    const timer = setTimeout(() => {
      leaveQueue(record, "TIMED_OUT").catch((error) => console.error(`codebuild: ${record.build.id}:`, error));
    }, limit);
    waiting.push({ record, timer });
    announceState(record);
    if (record.stopRequested) void leaveQueue(record, "STOPPED"); // asked between its start and now
    next();
  }

  // What an earlier process left: builds to run again, stops to carry out, ends nobody was told of.
  const left = builds.all().toSorted((a, b) => a.build.startTime - b.build.startTime || a.build.buildNumber - b.build.buildNumber);
  for (const record of left) {
    if (record.build.buildComplete) {
      if (record.announced !== record.build.buildStatus) announceState(record);
      continue;
    }
    submit(record.build);
    add(record);
  }

  return {
    add,
    async stop(record) {
      record.stopRequested = true;
      save(record);
      await leaveQueue(record, "STOPPED");
      running.get(record)?.cut.abort(new BuildCut("STOPPED"));
    },
    async close() {
      closed = true;
      for (const { timer } of waiting.splice(0)) clearTimeout(timer);
      const runs = [...running.values()];
      for (const { cut } of runs) cut.abort(new BuildCut("closing"));
      await Promise.all(runs.map(({ done }) => done));
      await Promise.all(announcing.values());
    },
  };
}
