import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const GITHUB_TOKEN = "ghs_the-token-of-the-job";

type Deployment = { readonly id: number; readonly environment: string; readonly payload: unknown };
type Comment = { readonly id: number; body: string; readonly user: { readonly type: string } };

/** What of GitHub's REST API the action calls, for the repository `acme/web`. */
export const startGithubServer = async () => {
  const state = {
    /** `POST deployments`, in order, with what was sent */
    asked: [] as { call: string; body: Record<string, unknown> | undefined }[],
    deployments: [] as Deployment[],
    /** of each deployment, newest first */
    statuses: new Map<number, Record<string, unknown>[]>(),
    comments: [] as Comment[],
    /** calls that are answered 403 */
    forbidden: [] as string[],
  };
  let last = 100;

  const answerTo = (call: string, query: URLSearchParams, body: Record<string, unknown> = {}): unknown => {
    const [, of, statuses] = /^(\w+) deployments\/\d+\/statuses$/.test(call) ? (/(\d+)(\/statuses)/.exec(call) ?? []) : [];
    const id = Number(of);
    if (statuses !== undefined) {
      const list = state.statuses.get(id) ?? [];
      if (call.startsWith("GET")) return list;
      state.statuses.set(id, [body, ...list]);
      return body;
    }
    if (call === "POST deployments") {
      const made = { id: ++last, environment: String(body.environment), payload: body.payload };
      state.deployments.unshift(made);
      return made;
    }
    if (call === "GET deployments") return state.deployments.filter(({ environment }) => environment === query.get("environment"));
    const page = Number(query.get("page") ?? 1);
    if (/^GET issues\/7\/comments$/.test(call)) return state.comments.slice((page - 1) * 100, page * 100);
    if (/^POST issues\/7\/comments$/.test(call)) {
      state.comments.push({ id: ++last, body: String(body.body), user: { type: "Bot" } });
      return state.comments.at(-1);
    }
    const edited = state.comments.find((comment) => call === `PATCH issues/comments/${comment.id}`);
    if (edited === undefined) return undefined;
    edited.body = String(body.body);
    return edited;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://github");
    let text = "";
    for await (const chunk of request) text += chunk;
    const call = `${request.method} ${pathname.replace("/repos/acme/web/", "")}`;
    const body = text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>);
    state.asked.push({ call, body });
    const isKnown = request.headers.authorization === `Bearer ${GITHUB_TOKEN}`;
    const found = isKnown && !state.forbidden.includes(call) ? answerTo(call, searchParams, body) : undefined;
    const status = !isKnown ? 401 : state.forbidden.includes(call) ? 403 : found === undefined ? 404 : 200;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(found ?? { message: "no" }));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    state,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
};
