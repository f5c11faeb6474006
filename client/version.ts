import metadata from "../package.json" with { type: "json" };

/** The version of this release: of the engine that answers, and of the command that asks. */
export const version: string = metadata.version;

/** Says the engine's version on every answer of its API. */
export const VERSION_HEADER = "x-shiplog-version";
/** Says the asking command's version. */
export const CLIENT_VERSION_HEADER = "x-shiplog-client-version";

/** How a command stands to the engine that it asks; `undefined` where one of the versions cannot be read. */
export type Fit = "fits" | "command-too-old" | "command-too-new";

/**
 * As semantic versions promise it: of another major version it may be different; of 0.x, of another minor. A command of a
 * newer minor version may ask for what the engine does not have yet.
 */
export const fitOf = (command: string, engine: string): Fit | undefined => {
  const [mine, its] = [partsOf(command), partsOf(engine)];
  if (mine === undefined || its === undefined) return undefined;
  if (mine.major !== its.major) return mine.major < its.major ? "command-too-old" : "command-too-new";
  if (mine.minor > its.minor) return "command-too-new";
  return mine.minor < its.minor && mine.major === 0 ? "command-too-old" : "fits";
};

const partsOf = (text: string): { major: number; minor: number } | undefined => {
  const [, major, minor] = /^(\d{1,9})\.(\d{1,9})\.\d{1,9}(?:[-+][\w.+-]{0,64})?$/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
};
