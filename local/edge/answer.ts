import type { Readable } from "node:stream";

/** What the edge is about to send; a name may occur more than once (`set-cookie`). A body that is still being made is a stream. */
export type Answer = {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer | Readable;
};

/** Which release an answer came from: what every answer of the edge names. */
export type Release = { readonly deploymentId: string; readonly sequence: number };

/** The release in an alias' description `seq=7 dep=dep_01J…`; undefined when the description is another. */
export function releaseIn(description: string): Release | undefined {
  const found = /\bseq=(\d+) dep=(\S+)/.exec(description);
  return found?.[1] && found[2] ? { sequence: Number(found[1]), deploymentId: found[2] } : undefined;
}

/** A small page of the edge's own. `text` is escaped and says what a person can do. */
export function page(status: number, title: string, text: string, headers: Answer["headers"] = []): Answer {
  const html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
:root { color-scheme: light dark }
body { max-width: 36rem; margin: 20vh auto; padding: 0 1.5rem; font: 1rem/1.6 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
</body>
</html>
`;
  return {
    status,
    headers: [["content-type", "text/html; charset=utf-8"], ["cache-control", "no-store"], ...headers],
    body: Buffer.from(html),
  };
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Says whether a header may go on: not what belongs to one connection. */
export const passes = (name: string): boolean => !HOP_BY_HOP.has(name);

/** What only the edge itself may say, to visitors and to functions. */
export const isOfEdge = (name: string): boolean => name.startsWith("x-shiplog-");
