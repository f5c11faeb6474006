import { ACCOUNT, REGION } from "../http.ts";

export type BuildStatus = "IN_PROGRESS" | "SUCCEEDED" | "FAILED" | "FAULT" | "STOPPED" | "TIMED_OUT";
export type CommandPhase = "INSTALL" | "PRE_BUILD" | "BUILD" | "POST_BUILD";
export type PhaseType =
  | "SUBMITTED"
  | "QUEUED"
  | "PROVISIONING"
  | "DOWNLOAD_SOURCE"
  | CommandPhase
  | "UPLOAD_ARTIFACTS"
  | "FINALIZING"
  | "COMPLETED";
export type PhaseContext = { readonly statusCode: string; readonly message: string };

/** Times are epoch seconds with fractions, as on the wire. */
export type Phase = {
  readonly phaseType: PhaseType;
  readonly startTime: number;
  endTime?: number;
  durationInSeconds?: number;
  phaseStatus?: Exclude<BuildStatus, "IN_PROGRESS">;
  contexts?: PhaseContext[];
};

export type Variable = { readonly name: string; readonly value: string; readonly type: "PLAINTEXT" | "SECRETS_MANAGER" };

/** A build exactly as BatchGetBuilds answers it. */
export type Build = {
  readonly id: string;
  readonly arn: string;
  readonly buildNumber: number;
  readonly projectName: string;
  readonly initiator: string;
  startTime: number;
  endTime?: number;
  currentPhase: PhaseType;
  buildStatus: BuildStatus;
  buildComplete: boolean;
  phases: Phase[];
  readonly source: { readonly type: string; readonly location?: string; readonly buildspec?: string };
  readonly sourceVersion?: string;
  resolvedSourceVersion?: string;
  artifacts: { location: string; sha256sum?: string; md5sum?: string };
  readonly environment: Readonly<Record<string, unknown>> & { readonly environmentVariables: readonly Variable[] };
  exportedEnvironmentVariables: { name: string; value: string }[];
  readonly logs: { readonly groupName: string; readonly streamName: string; readonly deepLink: string; readonly cloudWatchLogsArn: string };
  readonly serviceRole?: string;
  readonly timeoutInMinutes: number;
  readonly queuedTimeoutInMinutes: number;
};

/** Where the artifact of a build goes; `undefined` for NO_ARTIFACTS. */
export type ArtifactTarget = { readonly bucket: string; readonly key: string };

/** What is kept on disk for one build. */
export type BuildRecord = {
  readonly build: Build;
  readonly artifactTarget?: ArtifactTarget;
  /** bucket, or bucket/prefix; builds with the same one share what they keep */
  readonly cacheLocation?: string | undefined;
  /** `at` in ms; `request` is a hash of StartBuild's input, to notice a token used for two different builds. */
  readonly token?: { readonly value: string; readonly request: string; readonly at: number };
  stopRequested: boolean;
  /** The last status whose event was handed to the bus. */
  announced?: BuildStatus;
};

export const buildArn = (id: string) => `arn:aws:codebuild:${REGION}:${ACCOUNT}:build/${id}`;

/** A build's uuid: the second half of its id. It names the log stream and the working folder. */
export const uuidOf = (build: Build) => build.id.slice(build.id.indexOf(":") + 1);

export const logsOf = (project: string, uuid: string): Build["logs"] => {
  const groupName = `/aws/codebuild/${project}`;
  const link = `https://console.aws.amazon.com/cloudwatch/home?region=${REGION}#logsV2:log-groups/log-group/${encodeURIComponent(groupName)}`;
  return {
    groupName,
    streamName: uuid,
    deepLink: `${link}/log-events/${uuid}`,
    cloudWatchLogsArn: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${groupName}:log-stream:${uuid}`,
  };
};

export const beginPhase = (build: Build, phaseType: PhaseType, now = Date.now()): void => {
  build.currentPhase = phaseType;
  build.phases.push({ phaseType, startTime: now / 1000 });
};

export const endPhase = (
  build: Build,
  status: NonNullable<Phase["phaseStatus"]>,
  contexts: PhaseContext[] = [],
  now = Date.now(),
): Phase => {
  const phase = build.phases.at(-1) as Phase;
  phase.endTime = now / 1000;
  phase.durationInSeconds = Math.round(phase.endTime - phase.startTime);
  phase.phaseStatus = status;
  phase.contexts = contexts;
  return phase;
};

export const endBuild = (build: Build, status: BuildStatus, now = Date.now()): void => {
  beginPhase(build, "COMPLETED", now); // has neither status nor end, as on AWS
  build.buildStatus = status;
  build.endTime = now / 1000;
  build.buildComplete = true;
};

/** Puts a build at its start: submitted and waiting. One that a crash interrupted keeps its id, number and start time. */
export const submit = (build: Build): void => {
  build.phases = [];
  build.exportedEnvironmentVariables = [];
  beginPhase(build, "SUBMITTED");
  endPhase(build, "SUCCEEDED");
  beginPhase(build, "QUEUED");
};

/** A phase that ends FAILED, for the reason CodeBuild would print. Everything else that is thrown is a FAULT. */
export class PhaseFailed extends Error {
  override readonly name = "PhaseFailed";
  readonly statusCode: string;
  constructor(statusCode: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.statusCode = statusCode;
  }
}

/** The reason of a build's abort signal. "closing": the endpoint goes down and the build runs again at its next start. */
export class BuildCut extends Error {
  override readonly name = "BuildCut";
  readonly why: "STOPPED" | "TIMED_OUT" | "closing";
  constructor(why: BuildCut["why"]) {
    super(`the build was cut: ${why}`);
    this.why = why;
  }
}
