/** What kind of failure it is: what went wrong, not who said so. */
export type BuildErrorKind =
  | "types"
  | "compile"
  | "module"
  | "lint"
  | "font"
  | "prerender"
  | "error" // a program threw, and none of the other kinds
  | "config" // a script, a program, a setting or a version of Node that is not there
  | "lockfile"
  | "peer"
  | "install"
  | "network"
  | "memory"
  | "disk"
  | "time"
  | "command"; // ended with an exit status, and said nothing that is known

/**
 * How much a line says. `cause` names what went wrong, whatever else was printed before it; `error` is an error that
 * nobody knows better than its own words; `report` only says that there was one. Of the highest that a command printed,
 * the first line is the error.
 */
export type Weight = "limit" | "cause" | "error" | "report";

/** `within`: line and column, where the file is named above. */
type Found = { readonly said: string; readonly place?: string; readonly within?: string };
export type Sign = {
  readonly kind: BuildErrorKind;
  readonly weight: Weight;
  readonly pattern: RegExp;
  /** what the line says, and where; without it the first group of the pattern */
  read?(match: RegExpExecArray): Found;
};

const sign = (kind: BuildErrorKind, weight: Weight, pattern: RegExp, read?: Sign["read"]): Sign => ({
  kind,
  weight,
  pattern,
  ...(read && { read }),
});
const placed = ([, path, line, column, said = ""]: RegExpExecArray): Found => ({ said, place: `${path}:${line}:${column}` });

/** Of npm's lines, those that say what: the others are codes, paths and its help. */
const NPM = "npm (?:error|ERR!) ";
const npm = (rest: string): RegExp => new RegExp(`^${NPM}${rest}`);

/** Looked at in order; the first that fits a line is what the line is. */
export const signs: readonly Sign[] = [
  sign("memory", "limit", /(JavaScript heap out of memory|\bENOMEM\b.*|Cannot allocate memory)/),
  sign("memory", "limit", /(.*signal: SIGKILL\b.*|^Killed$)/),
  sign("disk", "limit", /((?:ENOSPC: )?no space left on device.*|.*\(os error 28\).*)/i),

  sign("module", "cause", /^\s*(?:\.\/)?([^\s(]+\.[cm]?[jt]sx?)\((\d+),(\d+)\): error TS2307: (.+)/, placed),
  // TypeScript: next build of 16 and tsc; tsc --pretty; next build of 15
  sign("types", "cause", /^\s*(?:\.\/)?([^\s(]+\.[cm]?[jt]sx?)\((\d+),(\d+)\): error (TS\d+: .+)/, placed),
  sign("types", "cause", /^\s*(?:\.\/)?(\S+\.[cm]?[jt]sx?):(\d+):(\d+) - error (TS\d+: .+)/, placed),
  sign("module", "cause", /^\s*(Type error: Cannot find module .+)/),
  sign("types", "cause", /^\s*(Type error: .+)/),
  sign("module", "cause", /^\s*(?:Error: )?(Module not found: .+)/),
  sign("module", "cause", /^\s*(?:Error(?: \[\w+\])?: )?(Cannot find (?:module|package) .+)/),
  sign("module", "cause", /^\s*✘ \[ERROR\] (Could not resolve .+)/),
  sign("lint", "cause", /^\s*(\d+:\d+)\s+(?:Error: |error\s+)(.+?)\s*$/, ([, within = "", said = ""]) => ({
    said: said.replace(/\s{2,}/g, "  "),
    within,
  })),
  sign("font", "cause", /^\s*(?:Error: )?(Failed to fetch .+ from Google Fonts\.?)/),
  sign("compile", "cause", /^\s*(?:Error:\s*)?(?:x|×|⨯)\s+((?:Unexpected|Expected|Expression|Unterminated|Return|You're).+)/),
  sign("compile", "cause", /^\s*((?:SyntaxError|CssSyntaxError)\b.*: .+)/),
  sign("prerender", "cause", /^\s*(?:⨯ |Error: )?(.+ should be wrapped in a suspense boundary at page .+?)(?:\. Read more.*)?$/),
  sign("prerender", "cause", /^\s*(Failed to build \S+: .+ after \d+ attempts)/),
  sign("error", "cause", /^\s*\[cause\]: (.*Error.*?: .+?)\s*\{?$/),

  sign("peer", "cause", npm("(?:ERESOLVE )?(peer(?:Optional)? .+ from .+)")),
  sign("lockfile", "cause", npm("(.*`npm ci`(?: command)? can only install .+)")),
  sign("config", "cause", npm("(?:notsup |engine )(Not compatible with your version of node.+)")),
  sign("config", "cause", npm("(Missing script: .+)")),
  sign("config", "cause", npm("(npx canceled due to missing packages .+)")),
  sign("install", "cause", npm("(?:404 )(.+)")),
  sign("install", "cause", npm("(?:notarget )(No matching version .+)")),
  sign("install", "cause", npm(String.raw`(Integrity checksum failed when using \w+)`)),
  sign("network", "cause", npm("(?:network )?(request to .+ failed, reason: .+)")),

  sign("lockfile", "cause", /^\s*ERR_PNPM_(?:OUTDATED_LOCKFILE|NO_LOCKFILE|LOCKFILE\w*)\s+(.+)/),
  sign("peer", "cause", /^\s*ERR_PNPM_PEER_DEP_ISSUES\s+(.+)/),
  sign("config", "cause", /^\s*ERR_PNPM_(?:UNSUPPORTED_ENGINE|NO_SCRIPT\w*)\s+(.+)/),
  sign("network", "cause", /^\s*(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_PNPM_META_FETCH_FAIL)\s+(.+)/),
  sign("install", "cause", /^\s*ERR_PNPM_(?!RECURSIVE|LIFECYCLE)\w+\s+(.+)/),

  sign("lockfile", "cause", /^➤ YN0028: .*?(The lockfile would have been .+)/),
  sign("install", "cause", /^➤ YN(?:0001|0016|0018|0020|0027|0035|0041|0082): [│└┌· ]*(.+)/),
  sign("lockfile", "cause", /^error:? (Your lockfile needs to be updated.+|lockfile had changes.+)/i),
  sign("config", "cause", /^error (.+: The engine "\w+" is incompatible with this module.+)/),
  sign("network", "cause", /^error (.*(?:getaddrinfo|network|ECONN\w+|ETIMEDOUT).*)/),
  sign(
    "install",
    "cause",
    /^error:? (?!Command failed|script ")((?:Couldn't find|An unexpected error|No version matching|GET |\S+@\S+ failed).+)/,
  ),

  sign("config", "error", /^(?:\/\S*\/)?(?:sh|bash|dash): (?:line )?\d*:? ?(.+: (?:command )?not found)/),
  sign(
    "install",
    "report",
    npm("(?!code |errno |syscall |path |command |location |workspace |Lifecycle script|A complete log|For a full)(.+)"),
  ),
  sign("command", "report", /^\s*(?:⨯ |> |Error: )?(Failed to (?:compile|type check|collect \w+ \w+).*|Build (?:error|failed) .*)/),
  sign("command", "report", /^\s*(?:⨯ |error:? )?(Next\.js build worker exited .+|Command failed.*|script "\S+" exited .+)/),
  sign("command", "report", /^\s*Error: ((?:Turbopack build failed|Command failed|Failed to collect).*)/),
  sign("command", "report", /^\s*(Export encountered an? errors? on .+|ELIFECYCLE\b.*)/),
  sign("error", "error", /^\s*(?:⨯ |✘ |Uncaught |ERROR |unhandledRejection )?((?:[A-Z]\w*)?(?:Error|Exception)(?: \[\w+\])?: .+?)\s*\{?$/),
  sign("error", "error", /^(?:error|ERROR|FATAL|✘ \[ERROR\])[: ]\s*(.+)/),
];

/** Codes of a connection that did not come about, or broke: the next try may have better luck. */
export const NETWORK = /\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|UND_ERR_\w+)\b|socket hang up/;
