import { randomUUID } from "node:crypto";
import { keptWhy } from "../../domain/projections/kept-release.ts";
import { confirm } from "../confirm.ts";
import type { Context, Register } from "../context.ts";
import { environmentName } from "../environment.ts";
import { printEnvironment } from "../environment-change.ts";

type Options = { readonly reason?: string; readonly yes?: boolean };

/** Open pages reach the release that they came from, until its time is over; or until somebody ends it here. */
export const skewCommand: Register = (program, run) => {
  const skew = program.command("skew").description("releases that open pages still reach");
  skew
    .command("cut")
    .description("send nobody to a release any more: open pages of it reach what is live")
    .argument("<release>", "the release, by its deployment")
    .option("--reason <text>", "kept in the audit trail")
    .option("-y, --yes", "do not ask")
    .action((id: string, options: Options) => run((context) => cut(context, id, options)));
};

async function cut(context: Context, given: string, { reason, yes }: Options): Promise<undefined> {
  const api = context.api();
  const { deployment } = await api.deployment(given);
  const { id, site, environment, releaseId } = deployment;
  const before = await api.environment(site, environment);
  const route = before.routes.find(({ deploymentId, release }) => deploymentId === id || release === (releaseId ?? id));
  const kept = route && keptWhy(route, new Date().toISOString());
  const place = environmentName(before);
  // of one that nobody is sent to, or everybody, there is nothing to ask: the rules say so
  if (kept === "window")
    await confirm(context, `Cut ${id} (r-${route?.address}) of ${place} off? Its open pages reach what is live from then on.`, yes);

  const after = await api.cutRelease(site, environment, id, reason, randomUUID());
  // the rules refuse one that was never live; one without a row may be older than those that are shown
  const wasOver = kept === "cut" || kept === "ended" || (kept === undefined && after.version === before.version);
  printEnvironment(
    context,
    after,
    wasOver
      ? `Nobody was sent to ${id} any more: nothing was changed.`
      : `${id} of ${place} is cut off: its open pages reach what is live.`,
  );
  if (!wasOver) context.terminal.note(`The edge knows within seconds. What is reached still:  shiplog releases ${place}`);
}
