/** `1 row`, `2 rows`. */
export const counted = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
