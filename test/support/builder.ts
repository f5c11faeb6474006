import type { BuildReport } from "../../engine/aws/builds.ts";
import type { Ports } from "../../services/start-build/start-build.ts";

export const report = (id: string, status = "IN_PROGRESS"): BuildReport => ({
  id,
  arn: `arn:aws:codebuild:eu-west-1:000000000000:build/${id}`,
  status,
  deploymentId: null,
  artifact: null,
  exported: {},
  logs: { group: "builds", stream: id },
  failure: null,
});

/** CodeBuild as far as these verbs know it. */
export const builder = (change: Partial<Ports["builds"]> = {}) => {
  const asked: string[] = [];
  const builds: Ports["builds"] = {
    start: async ({ deploymentId: id, source }) => {
      asked.push(`start ${id} ${source.bytes}`);
      return report(`shiplog-web:of-${id}`);
    },
    stop: async (id) => void asked.push(`stop ${id}`),
    find: async () => undefined,
    ...change,
  };
  return { asked, builds };
};
