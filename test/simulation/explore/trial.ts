import type { Subscribed } from "../../../blueprint/topology.ts";
import type { DeploymentCommand } from "../../../domain/deployment/commands.ts";
import { type Deployment, deployment } from "../../../domain/deployment/decider.ts";
import type { FunctionRole, Release } from "../../../domain/deployment/shapes.ts";
import type { EnvironmentCommand } from "../../../domain/environment/commands.ts";
import { environment } from "../../../domain/environment/decider.ts";
import type { EnvironmentEvent } from "../../../domain/environment/events.ts";
import type { Environment } from "../../../domain/environment/state.ts";
import { type Commit, commitId } from "../../../domain/kernel/chain.ts";
import { fold } from "../../../domain/kernel/decider.ts";
import type { AnyEvent, Recorded } from "../../../domain/kernel/event.ts";
import type { EdgeTable } from "../../../engine/aws/edge-table.ts";
import type { AliasState } from "../../../engine/aws/functions.ts";
import { eventsOf, sha256 } from "../../../engine/log/codec.ts";
import { Conflict } from "../../../engine/log/event-store.ts";
import { type Aggregates, executor, type Ground } from "../../../engine/log/execute.ts";
import { NO_TRIES } from "../../../engine/views/flip-notes.ts";
import { flipAlias } from "../../../services/flip-alias/flip-alias.ts";
import { groundOn } from "../../support/ground.ts";
import { deploymentId, request } from "../../support/samples.ts";

export type Scope = {
  readonly deployments: number;
  readonly roles: readonly FunctionRole[];
  /** how often each message is handed out, at the same time or after one another */
  readonly deliveries: number;
  /** processes that may die while they flip one deployment */
  readonly crashes: number;
  /** nobody may run what an alias leads to: it is read instead */
  readonly flooded?: boolean;
};
/** One call of a process happens, or the process dies before it. */
export type Action = { readonly process: number; readonly call: number | "dies" };
export type Trial = ReturnType<typeof beginTrial>;

type Process = {
  readonly flip: number;
  readonly isFlip: boolean;
  begin(): Promise<void>;
  /** what it waits for: more than one thing where it asks for several at once */
  calls: { readonly label: string; make(): void }[];
  state: "new" | "running" | "ended" | "dead";
  /** what it knows besides what it waits for: the environment at its beginning, and what was answered last */
  before: string;
  readonly answers: Record<string, string>;
  readonly refused: Record<string, number>;
  readonly reads: Record<string, number>;
  /** how often it has read the log since it last did anything else: each of them is for another purpose */
  loads: number;
  /** nothing that it does from now on concerns anybody */
  closing: boolean;
};

const PLACE = "environment/web/production";
const asked = { actor: "ada", at: "2026-11-23T12:00:00.000Z" };
const still = { now: () => 0, sleep: async () => undefined, random: () => 0 };
/** All of an environment that a flip looks at. */
const summaryOf = ({ open, flipped, live, aliases, drift, chosen, everLive, pending }: Environment): string =>
  JSON.stringify([
    [...open.keys()].sort(),
    flipped,
    chosen,
    live?.sequence,
    [...aliases].sort(),
    [...drift],
    [...everLive.keys()].sort(),
    [...pending.keys()].sort(),
  ]);
const knownOf = ({ state, calls, before, answers, refused, reads, loads }: Process): string =>
  state === "dead" || state === "ended"
    ? "over"
    : JSON.stringify([state, calls.map(({ label }) => label).sort(), before, answers, refused, reads, loads]);
const nameOf = (role: FunctionRole): string => `web-production-${role}`;
const releaseOf = (n: number, roles: readonly FunctionRole[]): Release => ({
  id: deploymentId(n),
  address: n,
  files: { set: "0".repeat(16), rows: 0 },
  manifest: `manifest ${n}`,
  functions: roles.map((role) => ({ role, name: nameOf(role), version: String(n), codeSha256: `${role} ${n}`, settings: "s" })),
});

/**
 * The real flip of several deployments in every order that is asked for: each call to a port waits until it is told to
 * happen. What touches nothing that is shared (a version's own answer, the public files) happens at once.
 */
export const beginTrial = ({ deployments, roles, deliveries, crashes, flooded = false }: Scope) => {
  const streams = new Map<string, Commit[]>();
  const aliases = new Map<string, AliasState>(
    roles.map((role) => [nameOf(role), { version: "0", description: "seq=0 dep=none", revisionId: "seq=0" }]),
  );
  const moves: string[] = [];
  let row = "";
  let rowWrites = 0;
  const rowsWritten: number[] = [];
  const died = new Map<number, number>();
  const violations: string[] = [];

  const append = (stream: string, cause: string, events: readonly AnyEvent[]): Commit => {
    const commits = streams.get(stream) ?? [];
    streams.set(stream, commits);
    const version = commits.length + 1;
    const commit = {
      stream,
      version,
      id: commitId(sha256, stream, cause),
      cause,
      body: JSON.stringify(events),
      position: String(version).padStart(15, "0"),
      at: asked.at,
      actor: "",
      origin: "",
      correlation: "",
      prev: "",
      hash: "",
    };
    commits.push(commit);
    for (const event of events) look(stream, event as EnvironmentEvent);
    return commit;
  };

  /** What must hold whenever something is written. */
  function look(stream: string, event: EnvironmentEvent): void {
    if (event.type !== "ReleaseWentLive") return;
    const { sequence, release } = event.body;
    for (const { name, version } of release.functions)
      if (!moves.includes(`${name} ${sequence} ${version}`))
        violations.push(`${stream}: ${sequence} is called live, and the alias of ${name} was never there`);
    if (!rowsWritten.includes(sequence)) violations.push(`${stream}: ${sequence} is called live, and the edge never had a row of it`);
  }

  function move(name: string, to: { version: string; description: string }, revisionId: string): AliasState {
    const from = aliases.get(name) as AliasState;
    if (from.revisionId !== revisionId) throw Object.assign(new Error("it was changed"), { name: "PreconditionFailedException" });
    const sequence = (description: string): number => Number(/^seq=(\d+)/.exec(description)?.[1]);
    if (sequence(to.description) <= sequence(from.description))
      violations.push(`the alias of ${name} went from ${from.description} to ${to.description}`);
    // one revision for each description: nobody writes the same one twice
    const moved = { ...to, revisionId: to.description };
    aliases.set(name, moved);
    moves.push(`${name} ${sequence(to.description)} ${to.version}`);
    return moved;
  }

  function writeRow(text: string): void {
    const sequenceIn = (one: string): number => (one === "" ? 0 : (JSON.parse(one) as { sequence: number }).sequence);
    const [before, after] = [sequenceIn(row), sequenceIn(text)];
    if (after < before) violations.push(`the row went from ${before} to ${after}`);
    for (const role of roles)
      if (!moves.some((move) => move.startsWith(`${nameOf(role)} ${after} `)))
        violations.push(`the row was written with ${after} before the alias of ${nameOf(role)} was moved`);
    row = text;
    rowWrites += 1;
    rowsWritten.push(after);
  }

  /** A call that happens when it is told to. Its label says all that its answer and what comes after it depend on. */
  const wait = <T>(process: Process, label: string, effect: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      process.loads = label === "load" ? process.loads + 1 : 0;
      process.calls.push({
        label,
        make: () => {
          try {
            resolve(effect());
          } catch (error) {
            reject(error);
          }
        },
      });
    });

  const aggregatesOf = (process: Process): Aggregates => {
    const loaded = (stream: string): readonly Commit[] => [...(streams.get(stream) ?? [])];
    const groundFor = (label: string): Ground =>
      groundOn(
        {
          // only the deliveries of one message touch the stream of a deployment, and the second changes nothing there
          commits: async (stream) => (stream === PLACE && !process.closing ? wait(process, label, () => loaded(stream)) : loaded(stream)),
          // at once after the load: who appends behind what he read has decided at that very moment, or decides again
          append: async (stream, version, { events, cause }) => {
            if (loaded(stream).length !== version) throw new Conflict("somebody came in between, and nobody can");
            return append(stream, cause, events);
          },
        },
        still,
      );
    // events are as they were written: nothing is to be checked again
    const as = <E>(stored: AnyEvent): E => stored as E;
    const places = (label: string) =>
      executor<EnvironmentCommand, Environment, EnvironmentEvent>(groundFor(label), "environment", environment, as);
    const courses = executor<DeploymentCommand, Deployment, never>(groundFor(""), "deployment", deployment as never, as);
    return {
      environment: {
        load: async () => {
          const found = await places("load").load(PLACE);
          process.before ||= summaryOf(found.state);
          return found;
        },
        execute: async (_site, _name, command, because) => {
          const executed = await places(JSON.stringify(command)).execute(PLACE, command, because);
          // what is left is to put the public files right, and that touches nothing here
          if (command.type === "RecordWentLive" || command.type === "RecordFlipSuperseded") process.closing = true;
          return executed;
        },
      },
      deployment: {
        load: (id) => courses.load(`deployment/${id}`),
        execute: (id, command, because) => courses.execute(`deployment/${id}`, command, because),
      },
      webhook: undefined as never,
      session: undefined as never,
      letter: undefined as never,
      person: undefined as never,
    };
  };

  /** The table: it is read whole at one moment, with the version that guards a write. */
  const tableOf = (process: Process): EdgeTable => ({
    version: () =>
      wait(process, "look at the table", () => {
        process.answers.row = row;
        return `v${rowWrites}`;
      }),
    get: async () => row || undefined,
    list: async () => undefined,
    update: (_, version, { puts }) =>
      wait(process, `write the row ${version}`, () => {
        if (version !== `v${rowWrites}`) throw Object.assign(new Error("it was changed"), { name: "PreconditionFailedException" });
        writeRow(puts["live:E1"] ?? "");
        return `v${rowWrites}`;
      }).catch((error: unknown) => {
        process.refused.row = (process.refused.row ?? 0) + 1;
        throw error;
      }),
  });

  const site = {
    site: "web",
    environment: "production",
    host: "h",
    checkPath: "/",
    originKeys: [],
    streaming: false,
    functions: {},
    edgeTable: "table",
    distribution: "E1",
    skewHours: 24,
  } as never;
  const works = (version: string) => ({ version, failed: null, payload: '{"statusCode":200}' });
  const flipOf = (n: number) =>
    [...(streams.get(PLACE) ?? [])]
      .flatMap(eventsOf)
      .find(({ type, body }) => type === "FlipRequested" && (body as { sequence: number }).sequence === n) as Recorded<
      Subscribed<"flip-alias">
    >;

  /** Asks for the flip of one deployment, as `advance` does. */
  const asking = (process: Process, n: number) => async (): Promise<void> => {
    const command: EnvironmentCommand = {
      type: "RequestFlip",
      deploymentId: deploymentId(n),
      sequence: n,
      release: releaseOf(n, roles),
      ...asked,
    };
    await aggregatesOf(process).environment.execute("web", "production", command, { cause: `asked ${n}`, correlation: "", actor: "ada" });
  };
  const flipping = (process: Process, n: number) => (): Promise<void> =>
    flipAlias({
      aggregates: aggregatesOf(process),
      clock: still,
      site: () => site,
      notes: { flipTries: async () => NO_TRIES, noteTries: async () => undefined, forgetTries: async () => undefined },
      addresses: {
        make: async ({ name, alias }) => `https://${name.replaceAll("-", "")}${alias.slice(2)}.lambda-url.eu-west-1.on.aws/`,
      },
      publicSet: async () => ({ files: { set: "0".repeat(16), rows: 0 }, rows: [] }),
      edgeTable: tableOf(process),
      functions: {
        alias: (name) =>
          wait(process, `alias ${name}`, () => {
            const found = aliases.get(name);
            process.answers[`alias ${name}`] = found?.description ?? "";
            // how often it was read decides what comes next
            if (flooded) process.reads[name] = (process.reads[name] ?? 0) + 1;
            return found;
          }),
        moveAlias: (name, _, to, revisionId) =>
          wait(process, `move ${name} ${revisionId}`, () => move(name, to, revisionId)).catch((error: unknown) => {
            process.refused[name] = (process.refused[name] ?? 0) + 1;
            throw error;
          }),
        get: async () => undefined,
        invoke: async (name, qualifier) => {
          if (qualifier !== "live") return works(qualifier);
          if (flooded) throw Object.assign(new Error("Rate Exceeded."), { name: "TooManyRequestsException" });
          const version = await wait(process, `invoke ${name}`, () => aliases.get(name)?.version ?? "");
          process.answers[name] = version;
          return works(version);
        },
      },
    })(flipOf(n), { message: "m1", last: false, receives: 1, givesUp: () => false });

  const processes: Process[] = [];
  const add = (flip: number, isFlip: boolean, begin: (process: Process) => () => Promise<void>): void => {
    const process: Process = {
      flip,
      isFlip,
      calls: [],
      state: "new",
      before: "",
      answers: {},
      refused: {},
      reads: {},
      loads: 0,
      closing: false,
      begin: async () => undefined,
    };
    process.begin = begin(process);
    processes.push(process);
  };
  for (let n = 1; n <= deployments; n++) {
    append(PLACE, `admitted ${n}`, [
      { type: "DeploymentAdmitted", v: 1, body: { deploymentId: deploymentId(n), sequence: n, request: request(n), previous: null } },
    ]);
    append(`deployment/${deploymentId(n)}`, "checked", [
      { type: "DeploymentQueued", v: 1, body: { sequence: n, request: request(n) } },
      { type: "BuildSucceeded", v: 1, body: { buildId: "b", releaseId: deploymentId(n), artifact: { bucket: "b", key: "k" } } },
      { type: "ReleaseStarted", v: 1, body: { releaseId: deploymentId(n) } },
      { type: "ChecksPassed", v: 1, body: { release: releaseOf(n, roles), checks: [] } },
    ]);
    add(n, false, (process) => asking(process, n));
    for (let delivery = 0; delivery < deliveries; delivery++) add(n, true, (process) => flipping(process, n));
  }
  const isAsked = (n: number): boolean => flipOf(n) !== undefined;

  return {
    violations,
    /** Everything that may happen next. */
    enabled: (): Action[] =>
      processes.flatMap(({ state, isFlip, flip, calls }, process): Action[] => {
        if (state === "ended" || state === "dead") return [];
        if (state === "new") return isFlip && !isAsked(flip) ? [] : [{ process, call: 0 }];
        const mayDie = isFlip && (died.get(flip) ?? 0) < crashes;
        return [...calls.map((_, call) => ({ process, call })), ...(mayDie ? [{ process, call: "dies" } as const] : [])];
      }),
    perform: async ({ process: index, call }: Action): Promise<void> => {
      const process = processes[index] as Process;
      if (call === "dies") {
        process.state = "dead";
        died.set(process.flip, (died.get(process.flip) ?? 0) + 1);
        return;
      }
      const end = (how: string) => () => {
        process.state = "ended";
        if (how === "failed") violations.push("a flip broke");
      };
      if (process.state === "new") {
        process.state = "running";
        process.begin().then(end("done"), end("failed"));
      } else process.calls.splice(call, 1)[0]?.make();
      await new Promise(setImmediate);
    },
    /** The same text, the same future. */
    hash: (): string =>
      JSON.stringify([
        summaryOf(
          fold(
            environment,
            (streams.get(PLACE) ?? []).flatMap(({ body }) => JSON.parse(body) as EnvironmentEvent[]),
          ),
        ),
        [...aliases.values()].map(({ revisionId }) => revisionId),
        row,
        rowWrites,
        // the deliveries of one message are alike: which of them is where does not matter
        processes.map((process) => `${process.flip} ${process.isFlip} ${knownOf(process)}`).sort(),
        [...died],
      ]),
    /** Nothing can happen any more: every flip has ended, and what is live is the newest. */
    checkEnd: (): void => {
      const events = (streams.get(PLACE) ?? []).flatMap(eventsOf) as Recorded<EnvironmentEvent>[];
      const state = events.reduce((now, event) => environment.evolve(now, event), environment.initial());
      if (state.open.size > 0) violations.push(`flips ${[...state.open.keys()].join(", ")} never ended`);
      if (state.live?.sequence !== deployments)
        violations.push(`${state.live?.sequence ?? "nothing"} is live at the end, and not ${deployments}`);
      if (row !== JSON.stringify(state.edge?.route)) violations.push(`at the end the edge has the row ${row}`);
      for (const { version } of aliases.values())
        if (version !== String(deployments)) violations.push(`an alias is at version ${version} at the end`);
      const written = events.flatMap(({ type, body }) => (type === "AliasFlipped" ? [`${body.function} ${body.sequence} ${body.to}`] : []));
      if (written.sort().join() !== [...moves].sort().join())
        violations.push(`the aliases were moved ${moves.join(", ")}; the log has ${written.join(", ")}`);
    },
  };
};
