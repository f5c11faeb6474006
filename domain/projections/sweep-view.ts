import { sayLeft } from "../environment/keep.ts";
import type { SweepEvent } from "../environment/sweep.ts";
import type { Recorded } from "../kernel/event.ts";
import type { EnvironmentView } from "./views.ts";

/** What readers see of an environment's sweeps, and of what people keep. The view is changed in place. */
export const projectSweep = (view: EnvironmentView, event: SweepEvent, { at, actor }: Pick<Recorded, "at" | "actor">): EnvironmentView => {
  const keptBut = (deploymentId: string) => view.kept.filter((one) => one.deploymentId !== deploymentId);
  switch (event.type) {
    case "ReleaseKept":
      view.kept = [...keptBut(event.body.deploymentId), { ...event.body, actor, at }];
      break;
    case "ReleaseUnkept":
      view.kept = keptBut(event.body.deploymentId);
      break;
    case "ReleasesMarked": {
      const { mark, releases, others, sweepAfter: after } = event.body;
      view.marked = { mark, releases: releases.length, others: others.named.length + others.files, at, after, since: null };
      break;
    }
    case "SweepBegan":
    case "SweepPutOff":
      if (view.marked !== null) view.marked = { ...view.marked, since: event.type === "SweepBegan" ? at : null };
      break;
    case "SweepEnded": {
      const { mark, releases, bytes, left } = event.body;
      view.marked = null;
      view.swept = { at, mark, releases, bytes, left: left === undefined ? null : sayLeft(left) };
      break;
    }
    case "MarkDropped":
      view.marked = null;
      break;
    default:
      event satisfies never;
  }
  return view;
};
