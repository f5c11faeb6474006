import type { OutputFault } from "./fixture-output.ts";

/** The server's `index.mjs`: answers in the Function URL v2 format, and names its release in every answer. */
export function serverFunction(
  releaseId: string,
  fault: OutputFault | undefined,
  {
    downWhile,
    basePath,
    named,
    streaming,
    answeredBy = "server",
  }: {
    downWhile: string | undefined;
    basePath: string /** tags that every page has */;
    named: string;
    streaming: boolean;
    answeredBy?: string;
  },
): string {
  const release = JSON.stringify(releaseId);
  if (fault === "server-crashes") return `throw new Error("this release can not start");\n`;
  if (fault === "server-answers-500")
    return `export const handler = async () => ({ statusCode: 500, headers: {}, body: ${JSON.stringify(`${releaseId} is broken`)} });\n`;
  return `${downWhile === undefined ? "const isDown = () => false;" : isDownWhile(downWhile)}
const release = ${release};
const basePath = ${JSON.stringify(basePath)};
const answeredBy = ${JSON.stringify(answeredBy)};
const named = ${JSON.stringify(named)};

const html = (statusCode, title) => ({
  statusCode,
  headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private, no-store", "x-answered-by": answeredBy },
  cookies: [],
  body: \`<!DOCTYPE html><html data-release="\${release}">\${named}<h1>\${title}</h1><code id="release">\${release}</code><time id="made">\${new Date().toISOString()}</time></html>\`,
  isBase64Encoded: false,
});

const json = (answer) => ({
  statusCode: 200,
  headers: { "content-type": "application/json", "x-answered-by": answeredBy },
  cookies: [],
  body: JSON.stringify({ ...answer, release, at: new Date().toISOString() }),
  isBase64Encoded: false,
});

${streaming ? STREAMED : "export const handler = async (event) => answer(event);"}

const answer = async (event) => {
  if (isDown()) return { statusCode: 500, headers: {}, cookies: [], body: "the backend of " + release + " is down" };
  const wait = Number(new URLSearchParams(event.rawQueryString).get("wait") ?? 0);
  if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  if (!(event.rawPath + "/").startsWith(basePath + "/")) return html(404, "There is no such page");
  const path = event.rawPath.slice(basePath.length) || "/";
  if (path === "/") return html(200, "Home");
  if (path === "/ssr") return html(200, "Per request");
  if (path === "/kept" || path === "/kept-with-cookie") {
    const page = html(200, "For everybody");
    return { ...page, headers: { ...page.headers, "cache-control": "s-maxage=60" }, cookies: path === "/kept" ? [] : ["visitor=" + Math.random()] };
  }
  if (path !== "/api/hello") return html(404, "There is no such page");
  if (event.requestContext.http.method === "GET") return json({ hello: "world" });
  return json({ bytes: Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").length });
};
`;
}

/** Writes what the server would return: first half of the body, then the other. */
const STREAMED = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const { body, isBase64Encoded: _, ...prelude } = await answer(event);
  const out = awslambda.HttpResponseStream.from(stream, prelude);
  out.write(body.slice(0, body.length / 2));
  out.end(body.slice(body.length / 2));
});`;

/** Down while there is that file; a number in it is how often it is found down. */
const isDownWhile = (path: string): string => `import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
const down = ${JSON.stringify(path)};
const isDown = () => {
  if (!existsSync(down)) return false;
  const left = Number(readFileSync(down, "utf8") || Infinity) - 1;
  if (left === 0) rmSync(down);
  else if (left < Infinity) writeFileSync(down, String(left));
  return true;
};
`;

/** The image function's `index.mjs`: like the real one, 400 without its three parameters, with a line of error; else a picture of one point. */
export const IMAGE_FUNCTION = `const point = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=";

export const handler = async (event) => {
  const query = new URLSearchParams(event.rawQueryString);
  const missing = ["url", "w", "q"].find((name) => !query.get(name));
  if (missing) console.error("Error during validation of image params", '"' + missing + '" parameter is required');
  if (missing) return { statusCode: 400, headers: { "content-type": "text/plain" }, cookies: [], body: '"' + missing + '" parameter is required', isBase64Encoded: false };
  return { statusCode: 200, headers: { "content-type": "image/png" }, cookies: [], body: point, isBase64Encoded: true };
};
`;

/** The revalidation function's `index.mjs`: takes every message. */
export const REVALIDATION_FUNCTION = `import { readFileSync } from "node:fs";

JSON.parse(readFileSync("prerender-manifest.json", "utf8"));

export const handler = async () => ({ batchItemFailures: [] });
`;
