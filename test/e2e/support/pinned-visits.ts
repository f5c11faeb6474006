/** Who has a page of a release open. */
export type Client = { readonly url: string; readonly release: string };
export type Visit = {
  readonly kind: Kind;
  /** the release whose page asks */
  readonly asked: string;
  /** the release that answered, and the one that Next.js says made the answer */
  readonly release: string | null;
  readonly says: string | null;
  readonly sequence: number;
  readonly began: number;
  readonly ended: number;
  /** what went wrong, in words; empty where nothing did */
  readonly failed: string;
};
type Kind = "document" | "navigation" | "data" | "action" | "picture";
type Asked = { readonly path: string; readonly init: RequestInit; readonly status: number };

const HTML = "text/html,application/xhtml+xml";

/** What pages of Next.js ask for, each with the id of its release as Next.js gives it along. */
const requests: Readonly<Record<Kind, (release: string, action: string) => Asked>> = {
  document: () => ({ path: "/ssr", init: { headers: { accept: HTML, "sec-fetch-dest": "document" } }, status: 200 }),
  navigation: (release) => ({
    path: "/ssr?_rsc=1a2b3",
    init: { headers: { rsc: "1", "x-deployment-id": release, accept: "*/*" } },
    status: 200,
  }),
  // an app of the App Router has no such data, and says so: what counts is which release does
  data: (release) => ({ path: `/_next/data/${release}/nothing.json`, init: { headers: { "x-nextjs-data": "1" } }, status: 404 }),
  action: (release, action) => {
    const body = new FormData();
    body.set("1_name", "Ada");
    body.set("0", '["$undefined","$K1"]');
    const headers = { "next-action": action, "x-deployment-id": release, accept: "text/x-component" };
    return { path: "/action", init: { method: "POST", headers, body }, status: 200 };
  },
  picture: (release) => ({
    path: `/_next/image?url=%2Fharbour.png&w=640&q=75&dpl=${release}`,
    init: { headers: { accept: "image/webp,*/*" } },
    status: 200,
  }),
};
const kinds = Object.keys(requests) as Kind[];

/** Visits in turn by all clients, so many a second, whatever the answers take. `stop` waits for the last ones. */
export const visits = (clients: readonly Client[], perSecond: number): { stop(): Promise<readonly Visit[]> } => {
  const all: Promise<Visit>[] = [];
  const actions = new Map(clients.map((client) => [client, actionOf(client)]));
  let turn = 0;
  const timer = setInterval(() => {
    const client = clients[turn % clients.length] as Client;
    const kind = kinds[Math.floor(turn / clients.length) % kinds.length] as Kind;
    turn += 1;
    all.push((actions.get(client) as Promise<string>).then((action) => visit(client, kind, action)));
  }, 1_000 / perSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      return Promise.all(all);
    },
  };
};

/** The id of the app's Server Action, from the form of its page. */
const actionOf = async ({ url, release }: Client): Promise<string> => {
  const answer = await fetch(new URL("/action", url), { headers: { accept: "*/*", "x-deployment-id": release } });
  const html = (await answer.text()).replaceAll("&quot;", '"');
  const [, id = ""] = /"id":"([0-9a-f]{40,44})"/.exec(html) ?? /\$ACTION_ID_([0-9a-f]{40,44})/.exec(html) ?? [];
  if (id === "") throw new Error(`the page /action of ${release} names no Server Action`);
  return id;
};

const visit = async ({ url, release: asked }: Client, kind: Kind, action: string): Promise<Visit> => {
  const { path, init, status } = requests[kind](asked, action);
  const began = performance.now();
  const seen = { kind, asked, began };
  try {
    const answer = await fetch(new URL(path, url), init);
    const text = await answer.text();
    return {
      ...seen,
      release: answer.headers.get("x-shiplog-deployment"),
      says: answer.headers.get("x-nextjs-deployment-id"),
      sequence: Number(answer.headers.get("x-shiplog-sequence")),
      ended: performance.now(),
      failed: answer.status === status ? "" : `${answer.status}: ${text.slice(0, 200)}`,
    };
  } catch (error) {
    return { ...seen, release: null, says: null, sequence: 0, ended: performance.now(), failed: String(error) };
  }
};
