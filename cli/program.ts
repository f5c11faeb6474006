import { Command } from "commander";
import { version } from "../client/version.ts";
import { auditCommand } from "./commands/audit.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { checkCommand } from "./commands/check.ts";
import { compareCommand } from "./commands/compare.ts";
import { deployCommand } from "./commands/deploy.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { doraCommand } from "./commands/dora.ts";
import { envCommand } from "./commands/env.ts";
import { eventsCommand } from "./commands/events.ts";
import { gcCommand } from "./commands/gc.ts";
import { historyCommand } from "./commands/history.ts";
import { initCommand } from "./commands/init.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { keepCommand, unkeepCommand } from "./commands/keep.ts";
import { listCommand } from "./commands/list.ts";
import { lockCommand, unlockCommand } from "./commands/lock.ts";
import { logsCommand } from "./commands/logs.ts";
import { openCommand } from "./commands/open.ts";
import { peopleCommand } from "./commands/people.ts";
import { pinCommand, unpinCommand } from "./commands/pin.ts";
import { quarantineCommand } from "./commands/quarantine.ts";
import { releasesCommand } from "./commands/releases.ts";
import { replayCommand } from "./commands/replay.ts";
import { retryCommand } from "./commands/retry.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { schemaCommand } from "./commands/schema.ts";
import { sessionsCommand } from "./commands/sessions.ts";
import { skewCommand } from "./commands/skew.ts";
import { statusCommand } from "./commands/status.ts";
import { subscriptionsCommand } from "./commands/subscriptions.ts";
import { downCommand, sstCommand, upCommand } from "./commands/up.ts";
import { versionCommand } from "./commands/version.ts";
import { webhooksCommand } from "./commands/webhooks.ts";
import { whyCommand } from "./commands/why.ts";
import type { Register, Run } from "./context.ts";
import { addExamples } from "./examples.ts";
import { exitCodes } from "./exit-codes.ts";

const commands: readonly Register[] = [
  initCommand,
  checkCommand,
  deployCommand,
  listCommand,
  statusCommand,
  releasesCommand,
  inspectCommand,
  eventsCommand,
  logsCommand,
  whyCommand,
  historyCommand,
  compareCommand,
  auditCommand,
  doraCommand,
  rollbackCommand,
  cancelCommand,
  retryCommand,
  skewCommand,
  gcCommand,
  keepCommand,
  unkeepCommand,
  pinCommand,
  unpinCommand,
  lockCommand,
  unlockCommand,
  envCommand,
  openCommand,
  sessionsCommand,
  peopleCommand,
  webhooksCommand,
  subscriptionsCommand,
  quarantineCommand,
  schemaCommand,
  replayCommand,
  devCommand,
  doctorCommand,
  upCommand,
  downCommand,
  sstCommand,
  versionCommand,
];

const AFTER_HELP = `
Exit codes:
${exitCodes.map(({ code, brief }) => `  ${String(code).padEnd(3)}  ${brief}`).join("\n")}

The engine is found by SHIPLOG_URL and SHIPLOG_TOKEN, or by .shiplog/connection.json of a local one (\`shiplog dev\`).
A job of GitHub Actions with \`id-token: write\` needs SHIPLOG_URL alone.`;

/** The command line: every command, its words and its help. Throws commander's errors instead of ending the process. */
export function buildProgram(run: (options: { json?: boolean; data?: string }) => Run): Command {
  const program = new Command("shiplog")
    .description("Deploys Next.js apps to your own AWS account, and back.")
    .version(version, "-V, --version", "print the version")
    .option("--json", "print one JSON document on stdout")
    .option("--data <folder>", "folder of the local engine, default .shiplog")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", AFTER_HELP)
    .exitOverride();
  for (const register of commands) register(program, (work) => run(program.opts())(work));
  addExamples(program);
  return program;
}
