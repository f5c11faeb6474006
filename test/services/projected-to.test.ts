import { expect, it } from "vitest";
import { isProjectedTo } from "../../services/reconcile/projected-to.ts";

/** Rows by how they are asked for; tells what was asked. */
const ask = async (version: number, late: number | undefined, consistent: number | undefined) => {
  const asked: (boolean | undefined)[] = [];
  const environment = async (_site: string, _environment: string, options?: { consistent: boolean }) => {
    asked.push(options?.consistent);
    const found = options?.consistent === false ? late : consistent;
    return found === undefined ? undefined : ({ version: found } as never);
  };
  return [await isProjectedTo({ environment })(version, "web", "production"), asked];
};

it("a row that has read so far is asked for once, at half the price", async () => {
  expect([await ask(7, 7, 7), await ask(7, 9, 9)]).toEqual([
    [true, [false]],
    [true, [false]],
  ]);
});

it("one that seems to be behind, or not to be there, is looked at again before anybody is told", async () => {
  expect([await ask(7, 6, 7), await ask(7, undefined, 7), await ask(7, 6, 6), await ask(7, undefined, undefined)]).toEqual([
    [true, [false, true]],
    [true, [false, true]],
    [false, [false, true]],
    [false, [false, true]],
  ]);
});
