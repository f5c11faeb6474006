import type { ViewName } from "../../engine/views/read-models.ts";
import { BATCH, type Item, type ViewItems } from "../../engine/views/view-items.ts";

/**
 * Removes every row of these read models that is not of the live generation: the one before, and what a rebuild that was
 * given up left behind. Answers how many. Cut off, it goes on where it is run again: what is gone is not found any more.
 */
export const removeOld = async (
  items: Pick<ViewItems, "scan" | "remove">,
  views: readonly ViewName[],
  live: number,
  { pulse, throttled }: { pulse(): Promise<void>; throttled(tries: number): Promise<void> },
): Promise<number> => {
  let removed = 0;
  for await (const page of items.scan(0, 1)) {
    const old: Item[] = page.flatMap(({ view, generation, item }) => (views.includes(view) && generation !== live ? [item] : []));
    for (let from = 0; from < old.length; from += BATCH) {
      const batch = old.slice(from, from + BATCH);
      await items.remove(batch, throttled);
      removed += batch.length;
      await pulse();
    }
  }
  return removed;
};
