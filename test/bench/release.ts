import { siteResources } from "../../blueprint/site-resources.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { BUCKETS } from "../../local/provision/engine-resources.ts";
import { type Build, type DevelopmentRoom, SITE, withDevelopment } from "./development-room.ts";
import { median, sideBySide } from "./measure.ts";
import { type Line, ratioLine } from "./report.ts";
import { deployStraight } from "./straight-line.ts";

const RELEASES = 9;
const TARGET = 0.6;

/** The steps of a release, by the events that end them. */
const STEPS = [
  ["ReleaseStarted", "fetch, unpack, inspect"],
  ["AssetsPublished", "files and tags"],
  ["VersionsPublished", "versions"],
  ["ChecksPassed", "checks"],
  ["FlipRequested", "hop to the flip"],
  ["AliasFlipped", "warm, public files, first alias"],
  ["ReleaseWentLive", "aliases and verification"],
] as const;

/** Build-done → live: the engine with its queues, checks and events against a script that does what a plain deploy handler does. */
export const release = (tell: (line: string) => void): Promise<readonly Line[]> =>
  withDevelopment(["engine", "script"], async (room) => {
    let builds: { engine: Build; script: Build } | undefined;
    const next = (): { engine: Build; script: Build } => {
      if (builds === undefined) throw new Error("a round began without its builds");
      return builds;
    };
    const steps = new Map<string, number[]>(STEPS.map(([type]) => [type, []]));

    const { ours, theirs, ratios } = await sideBySide(
      {
        ours: async () => {
          const took = await byEngine(room, next().engine);
          for (const [type, ms] of took.steps) steps.get(type)?.push(ms);
          return took.ms;
        },
        theirs: () => {
          const { functions, assets, cache } = siteResources(SITE, "script");
          return deployStraight({
            clients: room.development.aws.clients,
            artifact: next().script.artifact,
            files: { bucket: BUCKETS.static, assets, cache },
            functions: new Map([
              ["server-functions/default", functions.server],
              ["image-optimization-function", functions.image],
              ["revalidation-function", functions.revalidation],
            ]),
            codeBucket: BUCKETS.artifacts,
          });
        },
      },
      {
        rounds: RELEASES,
        warmUp: 2,
        prepare: async () => {
          builds = { engine: await room.build(), script: await room.build() };
        },
      },
    );
    for (const [round, ratio] of ratios.entries())
      tell(`engine ${ours[round]?.toFixed(0)} ms, script ${theirs[round]?.toFixed(0)} ms: ${(1 / ratio).toFixed(2)}`);
    const information = { bench: "release", unit: "ms" };
    return [
      ratioLine(
        { bench: "release", what: "build done → live: engine ÷ script", target: { is: "at most", value: TARGET } },
        ratios.map((ratio) => 1 / ratio),
      ),
      { ...information, what: "engine", value: median(ours), range: [Math.min(...ours), Math.max(...ours)] },
      { ...information, what: "script", value: median(theirs), range: [Math.min(...theirs), Math.max(...theirs)] },
      ...STEPS.map(([type, what]) => ({
        ...information,
        what: `  ${what}`,
        value: median(steps.get(type)?.slice(-RELEASES) ?? []),
        note: `until ${type}`,
      })),
    ];
  });

type Took = { readonly ms: number; readonly steps: ReadonlyMap<string, number> };

/** One release by the engine, timed by its own events. Resolves when everything after the flip is done as well. */
const byEngine = async (room: DevelopmentRoom, build: Build): Promise<Took> => {
  await room.request("engine", build);
  const ended = (event: Recorded): boolean => ["DeploymentSucceeded", "DeploymentFailed", "DeploymentSuperseded"].includes(event.type);
  const last = await room.until(() => room.deployment(build.id), ended);
  if (last.type !== "DeploymentSucceeded") throw new Error(`${build.id} ended as ${last.type}: ${JSON.stringify(last.body)}`);
  const own = [...(await room.deployment(build.id)), ...(await room.environment("engine"))].filter(
    ({ type, body }) => type !== "DeploymentAdmitted" && ("deploymentId" in body ? body.deploymentId === build.id : true),
  );
  const timeOf = (type: string): number => Date.parse(own.find((event) => event.type === type)?.at ?? "");
  const steps = new Map<string, number>();
  let previous = timeOf("BuildSucceeded");
  for (const [type] of STEPS) {
    steps.set(type, timeOf(type) - previous);
    previous = timeOf(type);
  }
  return { ms: timeOf("ReleaseWentLive") - timeOf("BuildSucceeded"), steps };
};
