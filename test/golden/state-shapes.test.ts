import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { deciders, readEvent } from "../../domain/aggregates.ts";
import type { Commit } from "../../domain/kernel/chain.ts";
import type { Decider } from "../../domain/kernel/decider.ts";
import { type Category, categoryOf } from "../../domain/kernel/identity.ts";
import { eventsOf } from "../../engine/log/codec.ts";
import { stateOfText, textOfState } from "../../engine/log/state-text.ts";
import { environmentHistory } from "../bench/histories.ts";

/**
 * What each shape's number stands for: a digest of what recorded histories fold to. Where one changes, states that were written
 * down by the code before are wrong: raise the decider's `shape`, and write the new number and digest here.
 */
const shapes: Readonly<Record<Category, Readonly<Record<number, string>>>> = {
  deployment: { 2: "iqfFfl0bC1QlLrOaTpltl5kWI4sMkcUz7dNdo26aXA8" },
  environment: { 3: "HcSqo-KCGN6iY_ad0u4xwWe6_ie_IvMlx3pzb1-4V2A" },
  webhook: { 2: "7chgLSY_jfOx1qOGDB-NgJr76C0ggprBHKI_8fgF_Gs" },
  session: { 1: "nU32skQdUz0VPW5oqDtrscdnPFZkjEw5WU8Z3R5sUFM" },
  letter: { 1: "YlibwoAdLsENiwVvpCkJXCJyepUNdElVwy0xmHpfoHY" },
  person: { 1: "SvvCxDVA49TMqndt43525Ds0OY5fR7TJFXl18feXAZk" },
};

const here = new URL("./", import.meta.url);
const releases = readdirSync(here).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
const histories = releases.flatMap((release) =>
  readdirSync(new URL(`${release}/`, here)).map((file) =>
    readFileSync(new URL(`${release}/${file}`, here), "utf8")
      .trimEnd()
      .split("\n")
      .flatMap((line) => eventsOf(JSON.parse(line) as Commit)),
  ),
);

/** The text of every state that the recorded histories of a category go through. */
const statesOf = (category: Category): string[] => {
  const decider = deciders[category] as Decider<never, unknown, unknown>;
  return histories
    .filter(([first]) => first !== undefined && categoryOf(first.stream) === category)
    .flatMap((events) => {
      let state = decider.initial();
      return events.map((event) => {
        state = decider.evolve(state, readEvent(category, event));
        return textOfState(state);
      });
    });
};

describe.each(Object.keys(deciders) as Category[])("the state of: %s", (category) => {
  const states = statesOf(category);
  it("has the number of its shape raised where the same events make another of it", () => {
    const digest = hash("sha256", states.join("\n"), "base64url");
    expect(shapes[category]).toMatchObject({ [deciders[category].shape]: digest });
  });
  it("is the same after it was written down and read", () => {
    for (const text of states) expect(textOfState(stateOfText(text))).toBe(text);
  });
});

describe("an environment's state", () => {
  it("fits into a snapshot with room to spare, however long it was deployed to", () => {
    const decider = deciders.environment;
    let state = decider.initial();
    for (const event of environmentHistory(5_000)) state = decider.evolve(state, event);
    expect(textOfState(state).length).toBeLessThan(100_000);
    expect(stateOfText(textOfState(state))).toEqual(state);
  });
});
