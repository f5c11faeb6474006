import type { LocalAws } from "../../local/aws.ts";

/** Looks at the aliases `live` of functions all the time, and remembers every sequence that each was seen with. */
export const watchAliases = ({ lambda }: LocalAws, functions: readonly string[]) => {
  const seen = new Map<string, number[]>(functions.map((name) => [name, []]));
  const look = (): void => {
    for (const [name, sequences] of seen) {
      const [, sequence] = /^seq=(\d+) /.exec(lambda.alias(name, "live")?.description ?? "") ?? [];
      if (sequence !== undefined && sequences.at(-1) !== Number(sequence)) sequences.push(Number(sequence));
    }
  };
  look();
  const timer = setInterval(look, 1);
  return {
    /** The sequences that each alias went through, in order. */
    stop: (): Record<string, number[]> => {
      clearInterval(timer);
      look();
      return Object.fromEntries(seen);
    },
  };
};
