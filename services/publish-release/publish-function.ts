import { problemOf } from "../../engine/aws/errors.ts";
import type { FunctionState, Functions, Settings } from "../../engine/aws/functions.ts";
import type { Clock } from "../../engine/kit/clock.ts";

export type Code = { readonly bucket: string; readonly key: string /** base64 */; readonly sha256: string };

/** Lambda says that this code or configuration will never run. */
export class PublishRefused extends Error {
  override readonly name = "PublishRefused";
}

/** Another publisher changed the function between two steps: all of it again, and later where that goes on (`isOutage`). */
class FunctionBusy extends Error {
  override readonly name = "FunctionBusy";
}

type Ports = { readonly functions: Pick<Functions, "get" | "versions" | "configure" | "publish">; readonly clock: Clock };

const TRIES = 40;
const POLL_MS = 200;
const POLLS = 600;

/**
 * Publishes code and settings as one immutable version, whatever died half-way before: an existing version with the
 * same code and settings is the one; otherwise configuration first, then code, each guarded by a revision that is read
 * again after every change (Lambda changes it a second time when an update completes).
 */
export const publishFunction = async (
  { functions, clock }: Ports,
  name: string,
  code: Code,
  settings: Settings,
  architecture: "x86_64" | "arm64",
): Promise<{ version: string; codeSha256: string }> => {
  for (let tries = 1; ; tries++) {
    try {
      const version = await attempt();
      return { version: (await active(version)).version, codeSha256: code.sha256 };
    } catch (error) {
      const problem = problemOf(error);
      if (problem === "missing")
        throw new PublishRefused(`the function ${name} does not exist: declare the site and deploy its infrastructure first`, {
          cause: error,
        });
      if (problem === "refused") throw new PublishRefused(`Lambda refused ${name}: ${(error as Error).message}`, { cause: error });
      const isPassing = problem === "busy" || problem === "changed" || error instanceof FunctionBusy;
      if (!isPassing || tries === TRIES) throw error;
      await clock.sleep(Math.min(50 * 2 ** tries, 2_000) * (0.5 + clock.random()));
    }
  }

  async function attempt(): Promise<FunctionState> {
    const existing = (await functions.versions(name)).find(
      (version) => version.codeSha256 === code.sha256 && sameSettings(version, settings) && version.state !== "Failed",
    );
    if (existing !== undefined) return existing;
    let latest = await settled();
    if (!sameSettings(latest, settings)) {
      await functions.configure(name, settings, latest.revisionId);
      // its revision guards the publish: it must be the revision of these settings, not of another's that came after
      latest = await settled();
      if (!sameSettings(latest, settings))
        throw new FunctionBusy(`the settings of ${name} were changed by somebody else while it was published`);
    }
    const published = await functions.publish(name, code, architecture, latest.revisionId);
    if (published.codeSha256 !== code.sha256)
      throw new Error(`Lambda published other code of ${name} than was uploaded (${published.codeSha256} instead of ${code.sha256})`);
    return published;
  }

  /** `$LATEST` once no update is under way. */
  async function settled(): Promise<FunctionState> {
    const latest = await until("$LATEST", (state) => !state.updating && state.state !== "Pending");
    if (latest.updateFailed !== null) throw new PublishRefused(`the last update of ${name} failed: ${latest.updateFailed}`);
    return latest;
  }

  async function active({ version }: FunctionState): Promise<FunctionState> {
    const state = await until(version, (state) => state.state !== "Pending" && !state.updating);
    if (state.state === "Failed") throw new PublishRefused(`version ${version} of ${name} cannot run: ${state.reason}`);
    return state;
  }

  async function until(version: string, reached: (state: FunctionState) => boolean): Promise<FunctionState> {
    for (let polls = 0; polls < POLLS; polls++) {
      const state = await functions.get(name, version);
      if (state === undefined)
        throw new PublishRefused(`${name}:${version} does not exist: declare the site and deploy its infrastructure first`);
      if (reached(state)) return state;
      await clock.sleep(polls < 20 ? POLL_MS / 10 : POLL_MS);
    }
    throw new Error(`${name}:${version} is still being updated after ${(POLLS * POLL_MS) / 1000} s`);
  }
};

const sameSettings = (state: FunctionState, wanted: Settings): boolean =>
  state.handler === wanted.handler &&
  state.memoryMb === wanted.memoryMb &&
  state.timeoutSeconds === wanted.timeoutSeconds &&
  sameVariables(state.variables, wanted.variables);

const sameVariables = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
};
