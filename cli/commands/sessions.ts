import { randomUUID } from "node:crypto";
import type { Context, Register } from "../context.ts";
import { showAge, showDuration } from "../duration.ts";
import { plain, table } from "../terminal.ts";

/** Who is signed in to the dashboard, and the end of it. */
export const sessionsCommand: Register = (program, run) => {
  const sessions = program.command("sessions").description("who is signed in to the dashboard");
  sessions
    .command("ls")
    .description("list the sessions that go on")
    .action(() => run(list));
  sessions
    .command("end")
    .description("end a session: it lets nobody in any more")
    .argument("<id>", "its whole id")
    .option("--reason <text>", "kept in the audit trail")
    .action((id: string, { reason }: { reason?: string }) => run((context) => end(context, id, reason)));
};

async function list({ api: open, terminal, json }: Context): Promise<undefined> {
  const sessions = await open().sessions();
  if (json) return void terminal.document({ sessions });
  if (sessions.length === 0) return void terminal.note("Nobody is signed in. Open the dashboard:  shiplog open");
  const now = Date.now();
  const rows = sessions.map(({ id, actor, origin, beganAt, until }) => [
    id,
    plain(actor),
    plain(origin.split(" ")[1] ?? ""),
    showAge(beganAt, now),
    `in ${showDuration(Math.max(0, Date.parse(until) - now))}`,
  ]);
  terminal.result(table([["ID", "WHO", "FROM", "SINCE", "ENDS"], ...rows]));
}

async function end({ api: open, terminal, json }: Context, id: string, reason: string | undefined): Promise<undefined> {
  const session = await open().endSession(id, reason, randomUUID());
  if (json) return void terminal.document({ session });
  terminal.result(`${id} is ended.`);
}
