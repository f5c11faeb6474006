import { counted } from "../domain/kernel/counted.ts";
import type { EnvironmentView } from "../domain/projections/views.ts";

/** What is marked to be swept, in one sentence without its end: `12 releases are marked and go from <time> on`. */
export const sayMarked = ({ releases, others, after, since }: NonNullable<EnvironmentView["marked"]>): string => {
  const what = [
    ...(releases > 0 || others === 0 ? [counted(releases, "release")] : []),
    ...(others > 0 ? [counted(others, "other thing")] : []),
  ];
  const isOne = releases + others === 1;
  const doing =
    since === null ? `${isOne ? "is" : "are"} marked and ${isOne ? "goes" : "go"} from ${after} on` : `${isOne ? "is" : "are"} being swept`;
  return `${what.join(" and ")} ${doing}`;
};
