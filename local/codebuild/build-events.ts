import { type Build, type Phase, uuidOf } from "./build.ts";

export type BusEvent = { source: string; detailType: string; detail: unknown; time?: string; resources?: string[] };

/** "CodeBuild Build State Change": the build is at `build.buildStatus` now. */
export const stateChange = (build: Build): BusEvent => ({
  ...envelope(build, "CodeBuild Build State Change"),
  detail: {
    "build-status": build.buildStatus,
    "project-name": build.projectName,
    "build-id": build.arn,
    "additional-information": additional(build),
    "current-phase": build.currentPhase,
    "current-phase-context": "[]",
    version: "1",
  },
});

/** "CodeBuild Build Phase Change": `phase` has just been completed. */
export const phaseChange = (build: Build, phase: Phase): BusEvent => ({
  ...envelope(build, "CodeBuild Build Phase Change"),
  detail: {
    "completed-phase": phase.phaseType,
    "project-name": build.projectName,
    "build-id": build.arn,
    "completed-phase-context": JSON.stringify(contexts(phase)),
    "additional-information": additional(build),
    "completed-phase-status": phase.phaseStatus,
    "completed-phase-duration-seconds": phase.durationInSeconds,
    version: "1",
    "completed-phase-start": humanTime(phase.startTime),
    "completed-phase-end": humanTime(phase.endTime),
  },
});

const envelope = (build: Build, detailType: string) => ({
  source: "aws.codebuild",
  detailType,
  time: new Date().toISOString(),
  resources: [build.arn],
});

function additional(build: Build) {
  const { environmentVariables, ...environment } = build.environment;
  return {
    artifact: { md5sum: build.artifacts.md5sum, sha256sum: build.artifacts.sha256sum, location: build.artifacts.location },
    environment: {
      image: environment.image,
      "privileged-mode": environment.privilegedMode ?? false,
      "compute-type": environment.computeType,
      type: environment.type,
      // Plain values are in AWS's event too: whoever receives it must drop them.
      "environment-variables": environmentVariables.map(({ name, type, value }) => ({ name, type, value })),
    },
    "timeout-in-minutes": build.timeoutInMinutes,
    "build-complete": build.buildComplete,
    "build-number": build.buildNumber,
    initiator: build.initiator,
    "build-start-time": humanTime(build.startTime),
    source: { location: build.source.location, type: build.source.type },
    "source-version": build.sourceVersion ?? "",
    logs: { "group-name": build.logs.groupName, "stream-name": uuidOf(build), "deep-link": build.logs.deepLink },
    phases: build.phases.map((phase) => ({
      "phase-type": phase.phaseType,
      "phase-context": phase.endTime === undefined ? undefined : contexts(phase),
      "phase-status": phase.phaseStatus,
      "start-time": humanTime(phase.startTime),
      "end-time": humanTime(phase.endTime),
      "duration-in-seconds": phase.durationInSeconds,
    })),
  };
}

const contexts = (phase: Phase) => (phase.contexts ?? []).map(({ statusCode, message }) => `${statusCode}: ${message}`);

/** "Sep 1, 2017 4:12:29 PM", in UTC and without saying so, as CodeBuild writes it. */
export const humanTime = (seconds: number | undefined): string | undefined => {
  if (seconds === undefined) return undefined;
  const format = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });
  return format
    .formatToParts(seconds * 1000)
    .map(({ value }) => value)
    .join("")
    .replace(/\u202f/g, " ") // newer ICU puts a narrow space before AM and PM
    .replace(/(\d{4}), /, "$1 ");
};
