import { ENDING_SIGNALS, exit } from "./failure.ts";

/** When a command ends with a code, for people. */
export const exitCodes: readonly { readonly code: number; readonly when: string }[] = [
  { code: exit.reached, when: "done" },
  { code: exit.unexpected, when: "unexpected: a fault of the command, the machine, the network, or the engine (500, 503, 507)" },
  { code: exit.usage, when: "wrong usage; also an unknown site, environment or id, and an app that cannot be deployed as it is" },
  { code: exit.stopped, when: "cancelled, superseded, or the answer to a question was no" },
  { code: exit.unauthorised, when: "not authorised" },
  {
    code: exit.failed,
    when: "the deployment or rollback failed; or `check`, `doctor`, `audit verify`, `replay --verify` or the trial of a webhook found a fault; or SST failed; or the log was changed behind Shiplog's back",
  },
  { code: exit.conflict, when: "refused by the rules, or by another `shiplog dev` or `replay` that is running" },
  { code: exit.held, when: "ready, and held by a pin or a lock" },
  { code: exit.timeout, when: "the time of `--timeout` is up, or no answer came in time; what was begun goes on" },
  { code: ENDING_SIGNALS.SIGHUP, when: "SIGHUP: the terminal was closed; what was begun goes on" },
  { code: exit.interrupted, when: "SIGINT: Ctrl-C; what was begun goes on" },
  { code: ENDING_SIGNALS.SIGTERM, when: "SIGTERM; what was begun goes on" },
];
