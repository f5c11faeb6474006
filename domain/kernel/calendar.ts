/** Whether a text begins with a day that the calendar has (`2026-02-28…`); a platform takes 30 February for 2 March. */
export const beginsWithDay = (text: string): boolean => {
  const [, year, month, day] = (/^(\d{4})-(\d\d)-(\d\d)(?!\d)/.exec(text) ?? []).map(Number);
  return year !== undefined && month !== undefined && day !== undefined && day >= 1 && day <= daysOf(year, month);
};

/** 0 where there is no such month. */
const daysOf = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : month >= 1 && month <= 12 ? 31 : 0;
};
