import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withDevDependency } from "../../cli/edit-manifest.ts";

const added = (text: string) => withDevDependency(text, "@opennextjs/aws", "4.1.12");

describe("a development dependency in a package.json", () => {
  it("is put in its place, and nothing else is touched", () => {
    const text = '{\n  "z": 1, "files": ["a",  "b"],\n  "devDependencies": {\n    "@a/b": "1",\n    "zod": "4"\n  },\n  "a": {}\n}\n';
    expect(added(text)).toBe(text.replace('    "zod"', '    "@opennextjs/aws": "4.1.12",\n    "zod"'));
  });
  it.each([
    [
      "behind the last",
      '{\n  "devDependencies": {\n    "@a/b": "1"\n  }\n}',
      '{\n  "devDependencies": {\n    "@a/b": "1",\n    "@opennextjs/aws": "4.1.12"\n  }\n}',
    ],
    ["into an empty one", '{\n  "devDependencies": {}\n}\n', '{\n  "devDependencies": {\n    "@opennextjs/aws": "4.1.12"\n  }\n}\n'],
    [
      "behind the dependencies, where there is none",
      '{\n\t"dependencies": {\n\t\t"next": "16"\n\t},\n\t"x": 1\n}',
      '{\n\t"dependencies": {\n\t\t"next": "16"\n\t},\n\t"devDependencies": {\n\t\t"@opennextjs/aws": "4.1.12"\n\t},\n\t"x": 1\n}',
    ],
    [
      "in the file's own line ends, behind a byte order mark",
      '\uFEFF{\r\n    "dependencies": {\r\n        "next": "16"\r\n    }\r\n}\r\n',
      '\uFEFF{\r\n    "dependencies": {\r\n        "next": "16"\r\n    },\r\n    "devDependencies": {\r\n        "@opennextjs/aws": "4.1.12"\r\n    }\r\n}\r\n',
    ],
    ["in one line", '{"devDependencies":{"a":"1"}}', '{"devDependencies":{"@opennextjs/aws": "4.1.12","a":"1"}}'],
    [
      "not where another object has that name",
      '{\n  "x": { "devDependencies": { "a": "}" } },\n  "dependencies": { "next": "16" }\n}',
      '{\n  "x": { "devDependencies": { "a": "}" } },\n  "dependencies": { "next": "16" },\n  "devDependencies": {\n    "@opennextjs/aws": "4.1.12"\n  }\n}',
    ],
  ])("goes %s", (_where, before, after) => {
    expect(added(before)).toBe(after);
  });
  it.each(["[]", "nonsense", "{}"])("is not forced into %s", (text) => {
    expect(added(text)).toBeUndefined();
  });
  it("is all that changes, whatever else the file holds", () => {
    const names = fc.string({ minLength: 1 }).filter((name) => name !== "__proto__");
    const manifests = fc.record({
      name: fc.string(),
      dependencies: fc.dictionary(names, fc.string()),
      devDependencies: fc.option(fc.dictionary(names, fc.string()), { nil: undefined }),
      more: fc.jsonValue(),
    });
    fc.assert(
      fc.property(manifests, fc.constantFrom(2, 4, "\t"), (manifest, indent) => {
        const text = `${JSON.stringify(manifest, null, indent)}\n`;
        const edited = added(text);
        expect(edited).toBeDefined();
        expect(JSON.parse(edited ?? "").devDependencies["@opennextjs/aws"]).toBe("4.1.12");
        const kept = new Set(edited?.split("\n"));
        expect(
          text.split("\n").filter((line) => !kept.has(line) && !kept.has(`${line},`) && !/"devDependencies": \{\}/.test(line)),
        ).toEqual([]);
      }),
    );
  });
});
