import { AwsError } from "../http.ts";

/**
 * EventBridge's event patterns: `{ "source": ["a", { "prefix": "b." }], "detail": { "n": [{ "numeric": [">", 1] }] } }`.
 * A field matches when one of its list matches; all fields must match; `$or` is a list of patterns of which one must.
 * An array in the event matches when one of its elements does (for nested patterns: one element matches them all).
 */
export type EventPattern = { readonly [field: string]: readonly Matcher[] | EventPattern };
export type Matcher = string | number | boolean | null | { readonly [operator: string]: unknown };

/** Parses a pattern and checks all of it; throws `InvalidEventPatternException`. */
export function parsePattern(text: string): EventPattern {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid("it is not JSON");
  }
  if (!isObject(parsed) || Object.keys(parsed).length === 0) throw invalid("it must be an object with at least one field");
  checkPattern(parsed, "");
  return parsed as EventPattern;
}

export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  if (Array.isArray(event)) return event.some((element) => matchesPattern(pattern, element));
  const fields = isObject(event) ? event : {};
  return Object.entries(pattern).every(([field, wanted]) => {
    if (field === "$or") return (wanted as unknown as EventPattern[]).some((option) => matchesPattern(option, event));
    if (!Array.isArray(wanted)) return matchesPattern(wanted as EventPattern, Object.hasOwn(fields, field) ? fields[field] : undefined);
    return matchesField(wanted as readonly Matcher[], Object.hasOwn(fields, field) ? fields[field] : undefined);
  });
}

function matchesField(wanted: readonly Matcher[], value: unknown): boolean {
  const present = value !== undefined && !isObject(value);
  const candidates = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
  return wanted.some((matcher) => {
    if (isObject(matcher) && "exists" in matcher) return matcher.exists === present;
    return present && candidates.some((candidate) => matchesValue(matcher, candidate));
  });
}

function matchesValue(matcher: Matcher, value: unknown): boolean {
  if (!isObject(matcher)) return matcher === value;
  const [operator = "", operand] = Object.entries(matcher)[0] ?? [];
  return OPERATORS[operator]?.matches(operand, value) ?? false;
}

type Operator = { matches(operand: unknown, value: unknown): boolean; problem(operand: unknown): string | undefined };

const text = (matches: (operand: string, value: string) => boolean, or?: string): Operator => ({
  matches: (operand, value) => {
    if (typeof value !== "string") return false;
    if (isObject(operand)) return matches(lower(operand["equals-ignore-case"]), lower(value));
    return matches(String(operand), value);
  },
  problem: (operand) => {
    if (typeof operand === "string") return undefined;
    if (or && isObject(operand) && typeof operand[or] === "string" && Object.keys(operand).length === 1) return undefined;
    return "takes a string";
  },
});

const OPERATORS: Readonly<Record<string, Operator>> = {
  prefix: text((start, value) => value.startsWith(start), "equals-ignore-case"),
  suffix: text((end, value) => value.endsWith(end), "equals-ignore-case"),
  "equals-ignore-case": text((other, value) => lower(value) === lower(other)),
  wildcard: text((pattern, value) => wildcard(pattern).test(value)),
  "anything-but": {
    matches: (operand, value) => {
      if (!isObject(operand)) return !listOf(operand).includes(value);
      const [operator = "", operands] = Object.entries(operand)[0] ?? [];
      return !listOf(operands).some((one) => OPERATORS[operator]?.matches(one, value));
    },
    problem: (operand) => {
      if (!isObject(operand)) {
        const plain = listOf(operand);
        return plain.length > 0 && plain.every((one) => typeof one === "string" || typeof one === "number")
          ? undefined
          : "takes a string, a number, or a list of them";
      }
      const [operator = "", operands] = Object.entries(operand)[0] ?? [];
      const inner = ["prefix", "suffix", "equals-ignore-case", "wildcard"].includes(operator) ? OPERATORS[operator] : undefined;
      if (!inner) return `takes no ${operator}`;
      return listOf(operands).map(inner.problem).find(Boolean);
    },
  },
  exists: {
    matches: () => false, // answered where the field is looked up
    problem: (operand) => (typeof operand === "boolean" ? undefined : "takes true or false"),
  },
  numeric: {
    matches: (operand, value) =>
      typeof value === "number" && comparisons(operand).every(([sign, bound]) => COMPARE[sign]?.(value, bound) ?? false),
    problem: (operand) => {
      const pairs = comparisons(operand);
      const sound = pairs.length > 0 && pairs.every(([sign, bound]) => sign in COMPARE && typeof bound === "number");
      return sound && (operand as unknown[]).length % 2 === 0 ? undefined : 'takes a list such as [">", 0, "<=", 5]';
    },
  },
};

const COMPARE: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "=": (value, bound) => value === bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

const comparisons = (operand: unknown): [string, number][] => {
  const list = Array.isArray(operand) ? operand : [];
  return list.flatMap((sign, at) => (at % 2 === 0 ? [[String(sign), list[at + 1]] as [string, number]] : []));
};

/** `*` stands for any text; `\*` and `\\` for themselves. */
const wildcard = (pattern: string): RegExp => {
  const source = pattern.replace(/\\([*\\])|(\*)|[.+?^${}()|[\]\\]/g, (found, escaped?: string, star?: string) => {
    if (star) return ".*";
    return escaped ? `\\${escaped}` : `\\${found}`;
  });
  return new RegExp(`^${source}$`, "s");
};

function checkPattern(pattern: Record<string, unknown>, path: string): void {
  for (const [field, wanted] of Object.entries(pattern)) {
    const at = path ? `${path}.${field}` : field;
    if (field === "$or") {
      if (!Array.isArray(wanted) || wanted.length === 0 || !wanted.every(isObject)) throw invalid(`${at} must be a list of patterns`);
      for (const option of wanted) checkPattern(option as Record<string, unknown>, at);
    } else if (Array.isArray(wanted)) {
      if (wanted.length === 0) throw invalid(`${at} is an empty list`);
      for (const matcher of wanted) checkMatcher(matcher, at);
    } else if (isObject(wanted) && Object.keys(wanted).length > 0) {
      checkPattern(wanted, at);
    } else {
      throw invalid(`${at} must be a list of values or an object with fields`);
    }
  }
}

function checkMatcher(matcher: unknown, at: string): void {
  if (Array.isArray(matcher)) throw invalid(`${at} holds a list inside a list`);
  if (!isObject(matcher)) return;
  const [[operator, operand] = ["", undefined], ...more] = Object.entries(matcher);
  const known = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (!known || more.length > 0) throw invalid(`${at} has the unknown match type ${Object.keys(matcher).join(", ") || "{}"}`);
  const problem = known.problem(operand);
  if (problem) throw invalid(`${operator} of ${at} ${problem}`);
}

const invalid = (why: string): AwsError => new AwsError("InvalidEventPatternException", 400, `Event pattern is not valid. Reason: ${why}.`);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);
const lower = (value: unknown): string => String(value).toLowerCase();
