/** A variable of the environment that a person sets for Shiplog. */
export type EnvironmentVariable = {
  readonly name: string;
  /** whose: of every command, of one that runs the engine, of one that puts it on AWS */
  readonly of: "commands" | "dev" | "aws" | "github";
  /** what it is taken for; one clause, without its stop */
  readonly what: string;
  readonly usual?: string;
};

/** What Shiplog's own code reads. A test holds the names against every read in the source. */
export const environmentVariables: readonly EnvironmentVariable[] = [
  {
    of: "commands",
    name: "SHIPLOG_URL",
    what: "address of the engine's API; `https://`, but for this machine",
    usual: "the nearest `.shiplog` of a `shiplog dev`",
  },
  { of: "commands", name: "SHIPLOG_TOKEN", what: "a token of that engine; a job of GitHub Actions with `id-token: write` needs none" },
  { of: "commands", name: "SHIPLOG_DATA", what: "folder of the local engine; `--data` goes before it", usual: "the nearest `.shiplog`" },
  { of: "commands", name: "SHIPLOG_SITES", what: "the sites file; `none`: no site", usual: "the nearest `shiplog.sites.json`" },
  {
    of: "commands",
    name: "SHIPLOG_ACTOR",
    what: "who the log says that you are, beside the name of your token",
    usual: "`GITHUB_ACTOR`, else the user of this machine",
  },
  { of: "commands", name: "SHIPLOG_DEBUG", what: "`1`: an error is shown with where it came from" },
  {
    of: "commands",
    name: "SHIPLOG_STAGE",
    what: "the stage on AWS that `doctor`, `replay` and `audit verify` look at",
    usual: "`production`",
  },
  {
    of: "commands",
    name: "SHIPLOG_DEFAULT_STAGE",
    what: "the stage whose names on AWS carry no stage, where that is not `production`",
    usual: "`production`",
  },
  { of: "commands", name: "XDG_CACHE_HOME", what: "where compiled code is kept, and where local builds work", usual: "`~/.cache`" },
  { of: "commands", name: "NODE_COMPILE_CACHE", what: "Node's own cache of compiled code, in place of ours" },
  { of: "commands", name: "BROWSER", what: "the browser that `shiplog open` starts", usual: "the system's" },
  { of: "commands", name: "TERM", what: "`dumb`: nothing moves on the terminal" },
  {
    of: "dev",
    name: "SHIPLOG_BUILDS",
    what: "folder that builds of the local engine work in; no project may be around it",
    usual: "`~/.cache/shiplog/builds`",
  },
  {
    of: "aws",
    name: "SHIPLOG_THROWAWAY",
    what: "the stage's name: its data goes with it; `1` does for any that is not called like production; `--throwaway` sets it",
  },
  { of: "aws", name: "SHIPLOG_ALARM_EMAIL", what: "address that alarms are sent to, once it has agreed" },
  {
    of: "aws",
    name: "SHIPLOG_CONCURRENCY",
    what: "how many functions may run at once, where Service Quotas does not say it or others have most of them",
    usual: "the account's quota",
  },
  { of: "aws", name: "AWS_REGION", what: "the region; `doctor`, `replay` and `audit verify` go there too", usual: "the profile's" },
  { of: "aws", name: "AWS_DEFAULT_REGION", what: "the same, where `AWS_REGION` is not set" },
  { of: "aws", name: "AWS_PROFILE", what: "the profile whose region and credentials are taken", usual: "`default`" },
  { of: "aws", name: "AWS_DEFAULT_PROFILE", what: "the same, where `AWS_PROFILE` is not set" },
  { of: "aws", name: "AWS_CONFIG_FILE", what: "AWS's file of profiles, read for the region", usual: "`~/.aws/config`" },
  { of: "aws", name: "AWS_SHARED_CREDENTIALS_FILE", what: "AWS's file of credentials", usual: "`~/.aws/credentials`" },
  { of: "github", name: "ACTIONS_ID_TOKEN_REQUEST_URL", what: "set by GitHub for a job with `id-token: write`: where it gets its token" },
  { of: "github", name: "ACTIONS_ID_TOKEN_REQUEST_TOKEN", what: "the same: what it asks with" },
  { of: "github", name: "GITHUB_ACTIONS", what: "`true` in a job: an error says what the job lacks" },
  { of: "github", name: "GITHUB_ACTOR", what: "who started the run, for the trail" },
];

/** What libraries read for Shiplog: Node, the SDK of AWS, SST. */
export const readByOthers: readonly (readonly [names: readonly string[], what: string])[] = [
  [["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"], "credentials, in place of a profile's"],
  [["NO_COLOR", "FORCE_COLOR"], "whether output has colours"],
  [["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"], "passed on to builds of the local engine, as npm's settings of the registry are"],
];

/** Read too, and for nobody to set: by whom they are set. */
export const internalVariables: Readonly<Record<string, string>> = {
  SHIPLOG_CONFIG: "the infrastructure, for functions of the engine",
  SST_AWS_REGION: "SST",
  PATH: "the shell",
  HOME: "the shell",
  DISPLAY: "the desktop",
  WAYLAND_DISPLAY: "the desktop",
  WSL_DISTRO_NAME: "Windows",
  SSH_CONNECTION: "ssh",
  npm_command: "npm",
};
