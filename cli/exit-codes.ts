import { ENDING_SIGNALS, exit } from "./failure.ts";

/** When a command ends with a code, for people; `brief` in the help. */
export const exitCodes: readonly { readonly code: number; readonly brief: string; readonly when: string }[] = [
  { code: exit.reached, brief: "done", when: "done" },
  {
    code: exit.unexpected,
    brief: "unexpected",
    when: "unexpected: a fault of the command, the machine, the network, or the engine (500, 503, 507)",
  },
  {
    code: exit.usage,
    brief: "wrong usage, or an app that cannot be deployed",
    when: "wrong usage; also an unknown site, environment or id, and an app that cannot be deployed as it is",
  },
  { code: exit.stopped, brief: "cancelled, superseded or declined", when: "cancelled, superseded, or the answer to a question was no" },
  { code: exit.unauthorised, brief: "not authorised", when: "not authorised" },
  {
    code: exit.failed,
    brief: "failed: the deployment, or what was checked",
    when: "the deployment or rollback failed; or `check`, `doctor`, `audit verify`, `replay --verify` or the trial of a webhook found a fault; or SST failed; or the log was changed behind Shiplog's back",
  },
  {
    code: exit.conflict,
    brief: "refused by the rules",
    when: "refused by the rules, or by another `shiplog dev` or `replay` that is running",
  },
  { code: exit.held, brief: "ready, and held by a pin or a lock", when: "ready, and held by a pin or a lock" },
  {
    code: exit.timeout,
    brief: "--timeout is up; what was begun goes on",
    when: "the time of `--timeout` is up, or no answer came in time; what was begun goes on",
  },
  { code: ENDING_SIGNALS.SIGHUP, brief: "SIGHUP; it goes on", when: "SIGHUP: the terminal was closed; what was begun goes on" },
  { code: exit.interrupted, brief: "Ctrl-C; it goes on", when: "SIGINT: Ctrl-C; what was begun goes on" },
  { code: ENDING_SIGNALS.SIGTERM, brief: "SIGTERM; it goes on", when: "SIGTERM; what was begun goes on" },
];
