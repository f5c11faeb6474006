/** Everything of the environment that the infrastructure and functions are given by name: `process.env`, or a parameter or constant that is one. */
const READS = /(?:process\.env|\b(?:env|environment|parent))\.([A-Za-z_]\w*)|\benv\["([A-Z_]\w*)"\]/g;
/** `{ A, B: b = "" } = process.env`, and the same as a parameter. */
const TAKEN_APART =
  /\{([^{}]*)\}\s*(?:=\s*(?:process\.env|environment)\b|:\s*(?:Variables|NodeJS\.ProcessEnv|Readonly<Record<string, string \| undefined>>))/g;

const isVariable = (name: string): boolean => /^[A-Z][A-Z0-9_]+$/.test(name) || name === "npm_command";

/** The environment variables that a source reads by name. */
export const environmentReads = (source: string): string[] => [
  ...[...source.matchAll(READS)].map(([, dotted, quoted]) => dotted ?? quoted ?? "").filter(isVariable),
  ...[...source.matchAll(TAKEN_APART)]
    .flatMap(([, names = ""]) => names.split(",").map((one) => one.trim().split(/[:=\s]/)[0] ?? ""))
    .filter(isVariable),
];
