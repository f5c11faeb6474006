import { hash } from "node:crypto";
import { request } from "node:http";
import { buffer } from "node:stream/consumers";
import { awsClients } from "../../engine/aws/clients.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { serveApi } from "../../local/api-server.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createWeb } from "../../services/api/web.ts";
import { apiPorts } from "../../services/api/wiring.ts";
import { longHistory } from "../support/long-history.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { putLog } from "./long-log.ts";
import { median, sideBySide, stopwatch } from "./measure.ts";
import { type Line, ratioLine } from "./report.ts";
import { inFolder } from "./room.ts";

const SITES = Array.from({ length: 50 }, (_, n) => `site-${n + 1}`);
const ENVIRONMENTS = ["production", "preview"];
/** Enough for some ten thousand deployments. */
const EVENTS = 143_000;
const ROUNDS = 15;
const TOKEN = "bench";
const KB = 1_000;

type Place = { readonly url: string; readonly cookie: string; readonly deployments: number };

/** The first page with a hundred environments and ten thousand deployments in the log, beside what it asks of the API alone. */
export const dashboard = (tell: (line: string) => void): Promise<readonly Line[]> =>
  inFolder((folder) =>
    withPlace(folder, tell, async ({ url, cookie, deployments }) => {
      const read = async (path: string, headers: Record<string, string>): Promise<string> => {
        const answer = await fetch(url + path, { headers });
        if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
        return answer.text();
      };
      const asked = { authorization: `Bearer ${TOKEN}` };
      const { ours, ratios } = await sideBySide(
        {
          ours: () => stopwatch(() => read("/", { cookie })),
          theirs: () => stopwatch(() => Promise.all(["/v1/environments", "/v1/deployments?limit=200"].map((path) => read(path, asked)))),
        },
        { rounds: ROUNDS, warmUp: 5 },
      );
      const parts = await Promise.all(["/", "/assets/style.css", "/assets/live.js"].map((path) => read(path, { cookie })));
      const weight = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
      const sent = await Promise.all(["/", "/assets/style.css", "/assets/live.js"].map((path) => bytesOf(url, path, cookie)));
      const packed = sent.reduce((sum, bytes) => sum + bytes, 0);
      const bench = "dashboard";
      const note = `100 environments, ${deployments} deployments`;
      return [
        {
          bench,
          what: "first page ready",
          value: median(ours),
          unit: "ms",
          range: [Math.min(...ours), Math.max(...ours)],
          target: { is: "at most", value: 100 },
          note,
        },
        ratioLine({ bench, what: "what it asks of the API alone ÷ the page" }, ratios),
        {
          bench,
          what: "first page, its style and its script",
          value: packed / KB,
          unit: "kB",
          target: { is: "at most", value: 50 },
          note: `as browsers are sent it; ${Math.round(weight / KB)} kB unpacked`,
        },
      ];
    }),
  );

/** Bytes of an answer as a browser is sent it, without its headers. */
const bytesOf = (url: string, path: string, cookie: string): Promise<number> =>
  new Promise((resolve, reject) => {
    request(url + path, { headers: { cookie, "accept-encoding": "gzip" } }, (answer) => {
      buffer(answer).then(({ length }) => resolve(length), reject);
    })
      .on("error", reject)
      .end();
  });

const withPlace = async <T>(folder: string, tell: (line: string) => void, use: (place: Place) => Promise<T>): Promise<T> => {
  const endpoint = await startEndpoint({ dataDir: folder });
  const clients = awsClients(clientOptions(endpoint));
  try {
    await provisionEngine(clients);
    const sites = SITES.flatMap((site) => ENVIRONMENTS.map((environment) => siteConfigOf(site, environment)));
    const config = { ...localNames, sites, tokens: { bench: hash("sha256", TOKEN, "hex") } };
    const made = engine(config, clients, systemClock, () => undefined);
    const commits = [...longHistory({ seed: 1, events: EVENTS, sites: SITES, environments: ENVIRONMENTS })];
    const { deployments } = await putLog(made, commits);
    tell(`${commits.length} commits, ${deployments} deployments`);
    const api = await serveApi(createWeb(apiPorts(made)), { port: 0 });
    try {
      const signedIn = await fetch(`${api.url}/signin`, {
        method: "POST",
        headers: { origin: api.url, "sec-fetch-site": "same-origin" },
        body: new URLSearchParams({ token: TOKEN, name: "bench" }),
        redirect: "manual",
      });
      return await use({ url: api.url, cookie: signedIn.headers.getSetCookie()[0]?.split(";")[0] ?? "", deployments });
    } finally {
      await api.close();
    }
  } finally {
    clients.destroy();
    await endpoint.close();
  }
};
