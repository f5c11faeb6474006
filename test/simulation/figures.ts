import { type FaultKind, faultKinds } from "./faults.ts";
import { noSweeps, type Sweeps } from "./invariants/sweeps.ts";
import type { Run } from "./run.ts";
import { statusTransitions } from "./status-machine.ts";

/** What many worlds came to. */
export type Figures = {
  seeds: number;
  steps: number;
  virtualHours: number;
  faults: Record<FaultKind, number>;
  crashPoints: { hit: string[]; seen: string[] };
  transitions: { covered: string[]; total: number };
  sweeps: Sweeps;
  violations: { seed: number; what: string }[];
  slowest: { seed: number; ms: number; steps: number };
};

export const noFigures = (): Figures => ({
  seeds: 0,
  steps: 0,
  virtualHours: 0,
  faults: Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>,
  crashPoints: { hit: [], seen: [] },
  transitions: { covered: [], total: statusTransitions.length },
  sweeps: noSweeps(),
  violations: [],
  slowest: { seed: 0, ms: 0, steps: 0 },
});

const union = (a: readonly string[], b: Iterable<string>): string[] => [...new Set([...a, ...b])].sort();

const sumOf = (a: Sweeps, b: Sweeps): Sweeps =>
  Object.fromEntries(Object.entries(a).map(([what, count]) => [what, count + b[what as keyof Sweeps]])) as Sweeps;

export const together = (a: Figures, b: Figures): Figures => ({
  seeds: a.seeds + b.seeds,
  steps: a.steps + b.steps,
  virtualHours: a.virtualHours + b.virtualHours,
  faults: Object.fromEntries(faultKinds.map((kind) => [kind, a.faults[kind] + b.faults[kind]])) as Record<FaultKind, number>,
  crashPoints: { hit: union(a.crashPoints.hit, b.crashPoints.hit), seen: union(a.crashPoints.seen, b.crashPoints.seen) },
  transitions: { covered: union(a.transitions.covered, b.transitions.covered), total: a.transitions.total },
  sweeps: sumOf(a.sweeps, b.sweeps),
  violations: [...a.violations, ...b.violations].sort((one, other) => one.seed - other.seed),
  slowest: a.slowest.ms >= b.slowest.ms ? a.slowest : b.slowest,
});

export const figuresOf = (run: Run, ms: number): Figures => ({
  seeds: 1,
  steps: run.steps,
  virtualHours: run.virtualMs / 3_600_000,
  faults: run.faults,
  crashPoints: { hit: [...run.points.hit], seen: [...run.points.seen].flatMap((point) => [`${point} before`, `${point} after`]) },
  transitions: { covered: [...run.transitions], total: statusTransitions.length },
  sweeps: run.sweeps,
  violations: run.violations.slice(0, 1).map((what) => ({ seed: run.seed, what })),
  slowest: { seed: run.seed, ms, steps: run.steps },
});

/** The figures as a person reads them. */
export const described = (figures: Figures, seconds: number): string => {
  const { seeds, steps, virtualHours, faults, crashPoints, transitions, sweeps, violations, slowest } = figures;
  const missing = faultKinds.filter((kind) => faults[kind] === 0);
  const number = (value: number): string => Math.round(value).toLocaleString("en");
  return [
    `seeds          ${number(seeds)} in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(1)} a second)`,
    `steps          ${number(steps)}`,
    `virtual time   ${number(virtualHours)} hours`,
    `faults         ${number(faultKinds.reduce((sum, kind) => sum + faults[kind], 0))} of ${faultKinds.length - missing.length} kinds of ${faultKinds.length}`,
    ...faultKinds.map((kind) => `  ${kind.padEnd(24)} ${number(faults[kind])}`),
    `crash points   ${crashPoints.hit.length} hit of ${crashPoints.seen.length}`,
    `transitions    ${transitions.covered.length} covered of ${transitions.total}`,
    `sweeps         ${number(sweeps.marks)} marks, ${number(sweeps.claims)} claims (${number(sweeps.putOff)} put off), ${number(sweeps.ended)} ended: ${number(sweeps.releases)} releases, ${number(sweeps.things)} things`,
    `slowest seed   ${slowest.seed}: ${number(slowest.ms)} ms, ${number(slowest.steps)} steps`,
    `violations     ${violations.length}`,
    ...violations.slice(0, 20).map(({ seed, what }) => `  seed ${seed}: ${what}`),
  ].join("\n");
};
