import type { Glance } from "./commands/status.ts";
import { showAge } from "./duration.ts";
import { environmentName } from "./environment.ts";
import { shortIds } from "./short-id.ts";
import { commitCell } from "./show-commit.ts";
import { plain, list as showList } from "./terminal.ts";

/** A line for each of many environments; who wants more of one asks for that one. @param columns of the terminal */
export const overview = (glances: readonly Glance[], now: number, columns?: number): string => {
  const short = shortIds(glances.flatMap(({ environment: { live } }) => live?.deploymentId ?? []));
  const rows = glances.map((glance) => {
    const { live } = glance.environment;
    return [
      environmentName(glance.environment),
      live === null ? "-" : (short.get(live.deploymentId) ?? live.deploymentId),
      live === null ? "-" : `#${live.sequence}`,
      live === null ? "-" : showAge(live.at, now),
      live === null ? "-" : plain(live.actor),
      notes(glance).join(", "),
      commitCell(glance.liveDeployment?.commit ?? null),
    ];
  });
  return showList([["WHERE", "LIVE", "SEQ", "SINCE", "BY", "NOW", "COMMIT"], ...rows], ["SEQ", "BY", "SINCE", "LIVE"], columns);
};

/** What somebody may have to look at. */
const notes = ({ environment, underWay, failed, changedVariables }: Glance): string[] => {
  const { flipping, waiting, pin, lock, drifts, warnings } = environment;
  const others = underWay.filter(({ id }) => id !== flipping?.deploymentId && id !== waiting?.deploymentId);
  return [
    ...(flipping === null ? [] : [`flipping: ${flipping.reason}`]),
    ...(waiting === null ? [] : [`held by the ${waiting.by}`]),
    ...(others.length === 0 ? [] : [`${others.length} under way`]),
    ...(failed === null ? [] : ["failed"]),
    ...(pin === null || waiting?.by === "pin" ? [] : ["pinned"]),
    ...(lock === null || waiting?.by === "lock" ? [] : ["locked"]),
    ...(drifts.length === 0 ? [] : ["drift"]),
    ...(changedVariables.length === 0 ? [] : ["variables changed"]),
    ...(warnings.length === 0 ? [] : [warnings.length === 1 ? "1 warning" : `${warnings.length} warnings`]),
  ];
};
