import { describe, expect, it } from "vitest";
import { type Consumer, consumers } from "../../blueprint/topology.ts";
import { maxReceives, readSubscribed } from "../../engine/kit/subscription.ts";
import { at, deploymentId, request } from "../support/samples.ts";

const queued = {
  id: `${"a".repeat(22)}.0`,
  stream: `deployment/${deploymentId(1)}`,
  version: 1,
  index: 0,
  type: "DeploymentQueued",
  v: 1,
  body: { sequence: 1, request: request(1) },
  position: "1".padStart(15, "0"),
  at: at(),
  actor: "ada",
  origin: "",
  cause: "c",
  correlation: "c",
};
const message = (change: object = {}): string => JSON.stringify({ detail: { ...queued, ...change } });

describe("what a consumer subscribes to", () => {
  it("is read to its body, as it was recorded", () => {
    expect(readSubscribed("start-build")(message())).toEqual(queued);
  });
  it("is refused where its body is not that of its type", () => {
    expect(() => readSubscribed("start-build")(message({ body: { sequence: 0 } }))).toThrow("does not have its shape");
  });
  it("is refused where the topology does not name it: the rule is older than the code", () => {
    expect(() => readSubscribed("flip-alias")(message())).toThrow("flip-alias subscribes to no DeploymentQueued");
  });
  it("is refused where it is of no stream that there is", () => {
    expect(() => readSubscribed("start-build")(message({ stream: "invoice/1" }))).toThrow("stream");
  });
  it("is tried as often as the topology says", () => {
    for (const { name, maxReceives: declared } of consumers as readonly Consumer[]) expect(maxReceives(name as "advance")).toBe(declared);
  });
});
