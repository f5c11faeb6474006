import type { z } from "zod";
import type { BuildLogs, Progress } from "../client/contract.ts";
import { type BuildError, buildErrorFinder } from "../domain/build-error/find-build-error.ts";
import { showDuration } from "./duration.ts";
import { factsOf, knownEvent, type LoggedEvent } from "./event-facts.ts";
import { plain, statusStyle, type Terminal } from "./terminal.ts";

export type LogLine = z.infer<typeof BuildLogs>["lines"][number];

type Around = { since(type: string): string; readonly reused: boolean };
/** How one event is told, and what the live line says after it. */
type Step = {
  readonly phase: string;
  readonly text?: (facts: string, around: Around, event: LoggedEvent) => string;
  readonly next?: [phase: string, detail?: string];
};

const facts = (text: string) => text;
const STEPS: Readonly<Record<string, Step>> = {
  DeploymentQueued: { phase: "queued", text: facts, next: ["queued", "waiting for a build"] },
  BuildDeferred: { phase: "queued", text: facts, next: ["queued", "waiting for CodeBuild"] },
  BuildStarted: { phase: "building", text: facts, next: ["building"] },
  BuildSucceeded: {
    phase: "built",
    text: (text, { reused, since }) => (reused ? text : since("BuildStarted")),
    next: ["built", "waiting to be published"],
  },
  // why is told once, with what came of it
  BuildFailed: { phase: "failed", text: (_, __, event) => `build${failedIn(event)}` },
  ReleaseStarted: { phase: "files", next: ["files"] },
  AssetsPublished: { phase: "files", text: (text, { since }) => `${text}, ${since("ReleaseStarted")}`, next: ["versions"] },
  VersionsPublished: { phase: "versions", text: facts, next: ["checks"] },
  ChecksPassed: { phase: "checks", text: facts, next: ["flip", "waiting for its turn"] },
  ChecksFailed: { phase: "checks", text: (text) => `failed: ${text}` },
  FlipStarted: { phase: "flip", text: facts, next: ["flip"] },
  DeploymentHeld: { phase: "held", text: facts, next: ["held"] },
  CancelRequested: { phase: "cancelling", text: facts, next: ["cancelling"] },
  DeploymentSucceeded: { phase: "live", text: (_, { since }) => since("DeploymentQueued") },
  DeploymentFailed: { phase: "failed", text: facts },
  DeploymentCancelled: { phase: "cancelled", text: facts },
  DeploymentSuperseded: { phase: "superseded", text: facts },
};

/** The lines that are shown of a build that failed, where none of them says what went wrong. */
const TAIL = 20;
/** Without a terminal there is no live line: after so long a silence the step under way is told again. */
const SILENCE_MS = 30_000;
/** What CodeBuild itself writes around the commands: after a failure it would push the error out of the last lines. */
const FRAME = /^\[Container\] \S+ \S+ (Entering phase|Phase complete|Phase context)/;

/**
 * Tells a deployment's way on stderr: one line a step, with the time since it was queued, and on a terminal one live
 * line for what is under way. `verbose` also shows the build's own output.
 */
export function openStory(terminal: Terminal, verbose: boolean) {
  const moving = terminal.interactive;
  const started = new Map<string, number>();
  const tail: string[] = [];
  const finder = buildErrorFinder();
  let zero: number | undefined;
  let now = { phase: "queued", detail: "", since: Date.now() };
  let buildPhase: { name: string; at: number } | undefined;
  let quarter = 0;
  let toldAt = Date.now();

  const say = (at: number, phase: string, text: string) => {
    zero ??= at;
    toldAt = Date.now();
    terminal.note(
      `${showDuration(at - zero).padStart(8)}  ${terminal.paintNote(statusStyle(phase) ?? "bold", phase.padEnd(10))}  ${plain(text)}`.trimEnd(),
    );
  };
  const show = (phase: string, detail = "") => {
    if (now.phase !== phase || now.detail !== detail) now = { phase, detail, since: now.phase === phase ? now.since : Date.now() };
    terminal.live(`${phase}  ${plain(detail)}  ${showDuration(Date.now() - now.since)}`);
  };
  const since = (type: string, at: number): string => {
    const begin = started.get(type);
    return begin === undefined ? "" : `in ${showDuration(at - begin)}`;
  };

  return {
    event(event: LoggedEvent): void {
      const at = Date.parse(event.at);
      started.set(event.type, at);
      const { phase, text, next } = STEPS[event.type] ?? { phase: "", text: (facts) => `${event.type} ${facts}` };
      for (const warning of warningsOf(event)) say(at, "warning", warning);
      if (text !== undefined && !(event.type === "DeploymentFailed" && started.has("BuildFailed")))
        say(at, phase, text(factsOf(event), { since: (type) => since(type, at), reused: reused(event) }, event));
      if (next !== undefined) show(...next);
    },

    /** One line of the build's output: its phases are told, its error and its last lines are kept. */
    log({ timestamp, message }: LogLine): void {
      for (const line of message.replace(/\n$/, "").split("\n")) {
        finder.take(line);
        if (!FRAME.test(line)) tail.push(plain(line));
        if (tail.length > TAIL) tail.shift();
        const entered = /Entering phase ([A-Z_]+)/.exec(line)?.[1];
        const completed = /Phase complete: ([A-Z_]+)/.exec(line)?.[1];
        if (verbose) terminal.note(`          ${plain(line)}`);
        if (entered !== undefined) {
          buildPhase = { name: entered, at: timestamp };
          if (!moving) say(timestamp, "building", entered);
          show("building", entered);
        }
        if (completed !== undefined && buildPhase?.name === completed && timestamp - buildPhase.at >= 1_000)
          say(timestamp, "building", `${completed} done in ${showDuration(timestamp - buildPhase.at)}`);
      }
    },

    /** There is more of the build's output than was shown: where it is. */
    moreOutput: (id: string): void => {
      if (verbose) terminal.note(`The rest of the build's output:  shiplog logs ${id}`);
    },

    /** The last word about a long step. Without a terminal every quarter is told, not every file. */
    progress({ step, done, total }: z.infer<typeof Progress>): void {
      show(step === "assets" ? "files" : step, `${done} of ${total}`);
      const reached = total === 0 ? 0 : Math.floor((4 * done) / total);
      if (reached <= quarter || reached === 4 || moving) return;
      quarter = reached;
      say(Date.now(), step === "assets" ? "files" : step, `${done} of ${total}`);
    },

    /** Keeps the live line's clock going. */
    tick: () => {
      show(now.phase, now.detail);
      if (!moving && Date.now() - toldAt >= SILENCE_MS) say(Date.now(), now.phase, `${now.detail} goes on`.trimStart());
    },
    lost: () =>
      terminal.note(terminal.paintNote("yellow", "The engine does not answer. What it has begun goes on once it runs. Asking again …")),
    /** the last lines that the build wrote */
    tail: (): readonly string[] => tail,
    /** the first real error that the build wrote; `undefined` where none is known */
    error: (): BuildError | undefined => finder.found(),
    close: () => terminal.live(null),
  };
}

export type Story = ReturnType<typeof openStory>;

function reused(event: LoggedEvent): boolean {
  const known = knownEvent(event);
  return known?.type === "BuildSucceeded" && known.body.reusedFrom !== undefined;
}

function failedIn(event: LoggedEvent): string {
  const known = knownEvent(event);
  return known?.type === "BuildFailed" && known.body.phase !== undefined ? `, in ${known.body.phase}` : "";
}

function warningsOf(event: LoggedEvent): readonly string[] {
  const known = knownEvent(event);
  return known?.type === "ReleaseStarted" ? (known.body.warnings ?? []) : [];
}
