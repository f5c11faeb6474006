/**
 * Where a clock stands before the end of the log, as a sentence for a person. On one machine nobody can know which of the
 * two clocks was right.
 *
 * @param last position of the log's last commit
 * @param now milliseconds since 1970
 */
export const behindLog = (last: string, now: number): string => {
  const end = Number(last);
  const minutes = Math.round((end - now) / 60_000);
  const apart =
    minutes < 120 ? `${minutes} minutes` : minutes < 2_880 ? `${Math.round(minutes / 60)} hours` : `${Math.round(minutes / 1_440)} days`;
  return `this machine's clock (${timeOf(now)}) stands ${apart} before the end of the log (${timeOf(end)}): it is behind, or it was ahead when that was written. If it is right now, nothing is to be done: nothing is hidden, and everything goes on`;
};

const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
