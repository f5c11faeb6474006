import { median } from "./measure.ts";

/** One line of the result. Without a target it is for information. */
export type Line = {
  readonly bench: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** smallest and largest of the rounds, where there were rounds */
  readonly range?: readonly [number, number];
  readonly target?: { readonly is: "at least" | "at most"; readonly value: number };
  readonly note?: string;
};

export const reached = ({ value, target }: Line): boolean =>
  target === undefined || (target.is === "at least" ? value >= target.value : value <= target.value);

/** A line of ratios: their median, with the smallest and the largest. */
export const ratioLine = (line: Omit<Line, "value" | "unit" | "range">, ratios: readonly number[]): Line => ({
  ...line,
  value: median(ratios),
  unit: "×",
  range: [Math.min(...ratios), Math.max(...ratios)],
});

export const table = (lines: readonly Line[]): string => {
  const rows = lines.map((line) => [
    line.bench,
    line.what,
    shown(line.value, line.unit),
    line.range === undefined ? "" : `${shown(line.range[0])}–${shown(line.range[1])}`,
    line.target === undefined ? "" : `${line.target.is === "at least" ? "≥" : "≤"} ${shown(line.target.value)}`,
    line.target === undefined ? "" : reached(line) ? "reached" : "MISSED",
    line.note ?? "",
  ]);
  const head = ["bench", "what", "median", "min–max", "target", "", ""];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

const shown = (value: number, unit = ""): string => {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const number = Math.abs(value) >= 10_000 ? Math.round(value).toLocaleString("en-US") : value.toFixed(digits);
  return unit === "" ? number : `${number} ${unit}`;
};
