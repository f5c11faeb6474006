/** What happens when: by virtual time, and at the same time by a tie-break that the seed gives. */
export type Entry = { readonly time: number; readonly tie: number; readonly run: () => void };

const before = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.tie < b.tie);

/** A binary heap. */
export const agenda = () => {
  const heap: Entry[] = [];
  const at = (index: number): Entry => heap[index] as Entry;
  return {
    size: (): number => heap.length,
    put: (entry: Entry): void => {
      let index = heap.push(entry) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (!before(entry, at(parent))) break;
        heap[index] = at(parent);
        index = parent;
      }
      heap[index] = entry;
    },
    take: (): Entry | undefined => {
      const first = heap[0];
      const last = heap.pop();
      if (first === undefined || last === undefined || heap.length === 0) return first;
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && before(at(child + 1), at(child))) child += 1;
        if (!before(at(child), last)) break;
        heap[index] = at(child);
        index = child;
      }
      heap[index] = last;
      return first;
    },
  };
};
