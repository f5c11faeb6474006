import type { Commit } from "../../domain/kernel/chain.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { eventsOf } from "./codec.ts";
import type { EventStore } from "./event-store.ts";

/** The events of a stream from the newest back, or from the one before a version, read as far as somebody asks for them. */
export type ReadBack = (stream: string, before?: number) => AsyncIterable<Recorded>;

type ReadsBack = { readBack(...asked: Parameters<EventStore["readBack"]>): Promise<readonly Commit[]> };

/** Above every version. */
export const NEWEST = 9_999_999_999;
const FIRST_PAGE = 8;
const LAST_PAGE = 256;

/** The commits of a stream before a version, newest first, read as far as somebody asks for them. */
export async function* commitsBack({ readBack }: ReadsBack, stream: string, before = NEWEST): AsyncGenerator<Commit, undefined> {
  let from = before;
  for (let page = FIRST_PAGE; from > 1; page = Math.min(2 * page, LAST_PAGE)) {
    const commits = await readBack(stream, from, page);
    yield* commits;
    from = commits.at(-1)?.version ?? 0;
  }
  return undefined;
}

export const eventsBack = (store: ReadsBack): ReadBack =>
  async function* (stream, before) {
    for await (const commit of commitsBack(store, stream, before)) yield* eventsOf(commit).toReversed();
  };

/** The newest event that is so; where an event comes before it that ends the search, `undefined`. */
export const newestOf = async <E extends Recorded>(
  events: AsyncIterable<Recorded>,
  is: (event: Recorded) => event is E,
  isEnd: (event: Recorded) => boolean = () => false,
): Promise<E | undefined> => {
  for await (const event of events) {
    if (is(event)) return event;
    if (isEnd(event)) return undefined;
  }
  return undefined;
};
