import { deployment } from "../../domain/deployment/decider.ts";
import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import { environment } from "../../domain/environment/decider.ts";
import { type Decider, fold as foldOf } from "../../domain/kernel/decider.ts";
import { deploymentHistory, environmentHistory } from "./histories.ts";
import { median } from "./measure.ts";
import type { Line } from "./report.ts";

const LENGTHS = [10, 100, 1_000];
/** Whoever folds has parsed before: a fold is to be nothing beside that. */
const TARGET = 5;
const SAMPLES = 25;
/** Events folded for one sample: some milliseconds, so that the clock's own grain does not matter. */
const EVENTS_OF_A_SAMPLE = 200_000;

/** Pure fold: events that were read already, no I/O, no zod. */
export const fold = async (): Promise<readonly Line[]> =>
  LENGTHS.flatMap((length) => [
    line("deployment", deployment, deploymentEvents(length), (state) => state.sequence + state.status.length),
    line("environment", environment, environmentHistory(length), (state) => state.sequence + state.everLive.size),
  ]);

/** A deployment of a hundred events does not exist; those of many, one after another, fold through the same code. */
const deploymentEvents = (length: number): DeploymentEvent[] => {
  const events: DeploymentEvent[] = [];
  for (let n = 1; events.length < length; n++) events.push(...deploymentHistory(n));
  return events.slice(0, length);
};

const line = <S, E>(
  name: string,
  decider: Pick<Decider<never, S, E>, "initial" | "evolve">,
  events: readonly E[],
  digest: (state: S) => number,
): Line => {
  const folds = Math.ceil(EVENTS_OF_A_SAMPLE / events.length);
  const expected = digest(foldOf(decider, events)) * folds;
  const perEvent: number[] = [];
  for (let sample = -10; sample < SAMPLES; sample++) {
    const began = performance.now();
    let sum = 0;
    for (let n = 0; n < folds; n++) sum += digest(foldOf(decider, events));
    const took = performance.now() - began;
    // read here, so that no part of a fold can be left out as unused
    if (sum !== expected) throw new Error(`the fold of ${name} does not always come to the same`);
    if (sample >= 0) perEvent.push((took * 1e6) / (folds * events.length));
  }
  const parsed = parsing(events);
  return {
    bench: "fold",
    what: `${name}, ${events.length} events: parsing them ÷ folding them`,
    value: parsed / median(perEvent),
    unit: "×",
    range: [parsed / Math.max(...perEvent), parsed / Math.min(...perEvent)],
    target: { is: "at least", value: TARGET },
    note: `${median(perEvent).toFixed(1)} ns an event, ${parsed.toFixed(0)} to parse it`,
  };
};

/** Nanoseconds that `JSON.parse` takes for one of them, in the median. */
const parsing = (events: readonly unknown[]): number => {
  const texts = events.map((event) => JSON.stringify(event));
  const rounds = Math.ceil(EVENTS_OF_A_SAMPLE / 20 / events.length);
  const taken: number[] = [];
  for (let sample = -10; sample < SAMPLES; sample++) {
    const began = performance.now();
    for (let round = 0; round < rounds; round++) for (const text of texts) JSON.parse(text);
    if (sample >= 0) taken.push(((performance.now() - began) * 1e6) / (rounds * events.length));
  }
  return median(taken);
};
