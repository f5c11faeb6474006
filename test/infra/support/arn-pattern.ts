/** One character of a pattern, or any number of them: `apart` lists those that it cannot be. */
type Step = { readonly char?: string; readonly apart: string; readonly again: boolean; readonly none: boolean };

const literal = (char: string): Step => ({ char, apart: "", again: false, none: false });

/** A policy's resource: `*` is any text, `?` one character. */
const stepsOfResource = (resource: string): Step[] =>
  [...resource].map((char) => {
    if (char === "*") return { apart: "", again: true, none: true };
    return char === "?" ? { apart: "", again: false, none: false } : literal(char);
  });

/** What may have a slash or a colon in it; every other name ends at one. A function's name takes its qualifier with it. */
const WIDE: Readonly<Record<string, string>> = {
  ObjectName: "",
  LogGroupName: "",
  LogStreamName: "",
  SecretId: "",
  Alias: "",
  FunctionName: "/",
};

/** An ARN of the reference: `arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`. */
const stepsOfTemplate = (template: string): Step[] =>
  template.split(/(\$\{[^}]+\})/).flatMap((part) => {
    const [, name] = /^\$\{([^}]+)\}$/.exec(part) ?? [];
    return name === undefined ? [...part].map(literal) : [{ apart: WIDE[name] ?? "/:", again: true, none: false }];
  });

const meets = (one: Step, other: Step): boolean => {
  if (one.char !== undefined && other.char !== undefined) return one.char === other.char;
  const char = one.char ?? other.char;
  return char === undefined || !(one.apart + other.apart).includes(char);
};

/** Whether there is an ARN of that template which the resource of a policy names. */
export const fits = (resource: string, template: string): boolean => {
  const left = stepsOfResource(resource);
  const right = stepsOfTemplate(template);
  const seen = new Set<string>();
  const open: [number, number, boolean, boolean][] = [[0, 0, false, false]];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const [i, j, leftBegun, rightBegun] = place;
    if (seen.has(place.join())) continue;
    seen.add(place.join());
    const one = left[i];
    const other = right[j];
    if (one === undefined && other === undefined) return true;
    if (one !== undefined && (one.none || leftBegun)) open.push([i + 1, j, false, rightBegun]);
    if (other !== undefined && (other.none || rightBegun)) open.push([i, j + 1, leftBegun, false]);
    if (one === undefined || other === undefined || !meets(one, other)) continue;
    const lefts: [number, boolean][] = one.again ? [[i, true]] : [[i + 1, false]];
    const rights: [number, boolean][] = other.again ? [[j, true]] : [[j + 1, false]];
    for (const [nextLeft, begunLeft] of lefts)
      for (const [nextRight, begunRight] of rights) open.push([nextLeft, nextRight, begunLeft, begunRight]);
  }
  return false;
};
