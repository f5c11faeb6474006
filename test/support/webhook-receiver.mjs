/**
 * A receiver of webhooks as anybody might write it, in a process of its own: keeps what it got, and answers by the path.
 * Prints its port; a GET of / tells what it got, in order, /turn/down and /turn/up what paths of /switch answer.
 */
import { createServer } from "node:http";

const received = [];
const server = createServer(async (request, response) => {
  if (request.url === "/turn/up" || request.url === "/turn/down") {
    isDown = request.url === "/turn/down";
    return void response.end();
  }
  if (request.url === "/") return void response.end(JSON.stringify(received));
  let body = "";
  for await (const chunk of request) body += chunk;
  const one = { path: request.url, headers: request.headers, body, at: Date.now() };
  received.push(one);
  response.once("finish", () => {
    one.status = response.statusCode;
  });
  const [, behaviour, rest] = (request.url ?? "").split("/");
  answers[behaviour]?.(response, rest) ?? response.end("ok");
});

let failures = 0;
let isDown = false;
const answers = {
  ok: (response) => response.end("ok"),
  gone: (response) => response.writeHead(410).end("gone"),
  // fails once and then takes it
  flaky: (response) => (failures++ === 0 ? response.writeHead(500).end("not now") : response.end("ok")),
  // down from one word of a test to another
  switch: (response) => (isDown ? response.writeHead(500).end("down") : response.end("ok")),
  redirect: (response) => response.writeHead(302, { location: "/ok" }).end(),
  broken: (response) => response.writeHead(500).end("boom"),
  // repeats its own secret path
  echo: (response, rest) => response.writeHead(400).end(`no such hook /echo/${rest}`),
  hang: () => true,
  huge: (response) => {
    response.writeHead(200);
    const flood = () => {
      while (!response.destroyed && response.write("x".repeat(16_384)));
      if (!response.destroyed) response.once("drain", flood);
    };
    flood();
    return true;
  },
  busy: (response) => response.writeHead(429, { "retry-after": "7" }).end("slow down"),
};

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
