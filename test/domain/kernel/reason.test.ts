import { expect, it } from "vitest";
import { deployment } from "../../../domain/deployment/decider.ts";
import { type DeploymentEvent, readDeploymentEvent } from "../../../domain/deployment/events.ts";
import { fold } from "../../../domain/kernel/decider.ts";
import { request } from "../../support/samples.ts";

const queued = { type: "DeploymentQueued", v: 1, body: { sequence: 1, request: request(1) } } as const satisfies DeploymentEvent;
const failWith = (reason: string) => {
  const events = deployment.decide({ type: "FailDeployment", step: "publish", reason }, fold(deployment, [queued])) as DeploymentEvent[];
  // it can be read again, whatever the reason was
  return (readDeploymentEvent(events[0] as DeploymentEvent).body as { reason: string }).reason;
};

it("a cause that is no sentence at all is said to be none", () => {
  expect(failWith("")).toBe("no reason was given");
  expect(failWith(" \n")).toBe("no reason was given");
});

it("a cause of any length fits into its event", () => {
  expect(failWith("x".repeat(5_000))).toBe(`${"x".repeat(1_999)}…`);
  expect(failWith("y".repeat(2_000))).toBe("y".repeat(2_000));
});

it("a cause keeps its lines, and loses what would act on a terminal", () => {
  expect(failWith("\x1b[31merror\x1b[0m TS2304\r\n  at app.ts\u202e")).toBe("error TS2304\n  at app.ts");
  expect(failWith(`${"x".repeat(1_998)}👍y`)).toBe(`${"x".repeat(1_998)}…`);
});
