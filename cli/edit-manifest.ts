/**
 * Adds a development dependency to the text of a package.json and leaves every other character as it is. `undefined` where
 * the text is not laid out as anybody writes it.
 */
export function withDevDependency(text: string, name: string, version: string): string | undefined {
  const edited = inserted(text, name, version);
  try {
    const before = JSON.parse(text.replace(BOM, ""));
    const wanted = { ...before, devDependencies: { ...before.devDependencies, [name]: version } };
    return edited !== undefined && isSame(JSON.parse(edited.replace(BOM, "")), wanted) ? edited : undefined;
  } catch {
    return undefined;
  }
}

const BOM = /^\uFEFF/;

function inserted(text: string, name: string, version: string): string | undefined {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  const entry = `${JSON.stringify(name)}: ${JSON.stringify(version)}`;
  const keys = keysOf(text);
  const block = keys.find(({ path }) => path.length === 1 && path[0] === "devDependencies");
  if (block === undefined) {
    const after =
      keys.find(({ path }) => path.length === 1 && path[0] === "dependencies") ?? keys.findLast(({ path }) => path.length === 1);
    if (after === undefined) return undefined;
    const lines = [`,${eol}${indent}"devDependencies": {`, `${indent}${indent}${entry}`, `${indent}}`].join(eol);
    return text.slice(0, after.end) + lines + text.slice(after.end);
  }
  const siblings = keys.filter(({ path }) => path.length === 2 && path[0] === "devDependencies");
  const later = siblings.find(({ path }) => (path[1] ?? "") > name);
  const last = siblings.at(-1);
  if (later !== undefined) {
    const gap = /\s*$/.exec(text.slice(0, later.start))?.[0] ?? "";
    return `${text.slice(0, later.start)}${entry},${gap}${text.slice(later.start)}`;
  }
  if (last !== undefined) {
    const gap = /\s*$/.exec(text.slice(0, last.start))?.[0] ?? "";
    return `${text.slice(0, last.end)},${gap}${entry}${text.slice(last.end)}`;
  }
  const open = text.lastIndexOf("{", block.end);
  return `${text.slice(0, open)}{${eol}${indent}${indent}${entry}${eol}${indent}}${text.slice(block.end)}`;
}

type Key = { readonly path: readonly string[] /** of its name */; readonly start: number /** behind its value */; readonly end: number };

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The keys of the two outermost levels of objects, in order. */
function keysOf(text: string): Key[] {
  const found: Key[] = [];
  const open: ("{" | "[")[] = [];
  const path: { name: string; start: number }[] = [];
  let before = "";
  let name: { text: string; start: number } | undefined;
  const valueEnds = (end: number): void => {
    const key = path.at(-1);
    if (open.at(-1) !== "{" || key === undefined || path.length !== open.length) return;
    if (path.length <= 2) found.push({ path: path.map((one) => one.name), start: key.start, end });
    path.pop();
  };
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === ":" && name !== undefined) path.push({ name: JSON.parse(name.text), start: name.start });
    else if (token === "{" || token === "[") open.push(token);
    else if (token === "}" || token === "]") {
      open.pop();
      valueEnds(index + 1);
    } else if (token.startsWith('"') && open.at(-1) === "{" && before !== ":") name = { text: token, start: index };
    else if (token !== "," && token !== ":") valueEnds(index + token.length);
    before = token;
  }
  return found.toSorted((one, other) => one.start - other.start);
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
const sorted = (value: unknown): unknown =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, sorted(item)]),
      )
    : value;
