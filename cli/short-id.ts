/** `dep_` and the first eight characters: about one second of time. */
const SHORTEST = 12;

/** Each id as its shortest prefix, of at least twelve characters, that no other of these ids has. */
export const shortIds = (ids: Iterable<string>): ReadonlyMap<string, string> => {
  const sorted = [...new Set(ids)].sort();
  return new Map(
    sorted.map((id, index) => {
      const shared = Math.max(common(id, sorted[index - 1]), common(id, sorted[index + 1]));
      return [id, id.slice(0, Math.max(SHORTEST, shared + 1))];
    }),
  );
};

const common = (one: string, other: string | undefined): number => {
  if (other === undefined) return 0;
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
};
