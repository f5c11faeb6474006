import { cacheKeys } from "../../blueprint/edge-behaviors.ts";
import type { Answer, Release } from "./answer.ts";
import type { AnswerCache, Kept, Place, Reply } from "./answer-cache.ts";
import { cacheKeyOf, countedQuery } from "./cache-key.ts";
import { keptAnswer } from "./kept-answer.ts";
import type { Call } from "./origins.ts";
import { report } from "./report.ts";
import type { ViewerRequest } from "./viewer-request.ts";

/** What is sent, with the release that ran for it, where one did and said so. `isStored`: nobody ran for this visitor. */
export type Served = { readonly answer: Answer; readonly release: Release | undefined; readonly isStored: boolean };

type Ask = (call: Call) => Promise<Reply>;

/** Answers from what an edge keeps, and asks the origin where it must. */
export const keptReplies = (cache: AnswerCache) => {
  const refreshing = new Set<string>();

  const refresh = async (place: Place, call: Call, ask: Ask): Promise<void> => {
    if (refreshing.has(place.key)) return;
    refreshing.add(place.key);
    try {
      const since = cache.moment();
      const { answer } = cache.keep(place, await ask(call), since);
      if (!Buffer.isBuffer(answer.body)) for await (const _chunk of answer.body);
    } catch (error) {
      report(call.requestId, `could not fetch ${call.request.path} again`, error);
    } finally {
      refreshing.delete(place.key);
    }
  };

  const askAgain = async (place: Place, call: Call, kept: Kept, ask: Ask): Promise<Served> => {
    const etag = kept.reply.answer.headers.find(([name]) => name === "etag")?.[1];
    const since = cache.moment();
    const reply = await ask(etag === undefined ? unconditional(call) : withHeader(unconditional(call), "if-none-match", etag));
    if (reply.answer.status !== 304) return fetched(place, call, reply, since);
    cache.renew(place, reply.answer.headers);
    const answer = await keptAnswer(cache.find(place)?.reply ?? kept.reply, call.request.headers);
    return { answer: marked(answer, "RefreshHit"), release: reply.release, isStored: true };
  };

  const fetched = async (place: Place, call: Call, reply: Reply, since: number): Promise<Served> => {
    const { answer, release, isFile } = call.request.method === "GET" ? cache.keep(place, reply, since) : reply;
    const sent =
      isFile && Buffer.isBuffer(answer.body)
        ? await keptAnswer({ answer: { ...answer, body: answer.body }, release, isFile }, call.request.headers)
        : answer;
    return { answer: marked(sent, "Miss"), release, isStored: isFile };
  };

  return async (keyed: keyof typeof cacheKeys, call: Call, ask: Ask): Promise<Served> => {
    const place = placeOf(call.request, keyed);
    const isRead = call.request.method === "GET" || call.request.method === "HEAD";
    const kept = isRead ? cache.find(place) : undefined;
    if (kept === undefined) {
      const since = cache.moment();
      return fetched(place, call, await ask(call), since);
    }
    if (kept.state === "old") return askAgain(place, call, kept, ask);
    if (kept.state === "stale") void refresh(place, unconditional({ ...call, request: { ...call.request, method: "GET" } }), ask);
    const answer = await keptAnswer(kept.reply, call.request.headers);
    return { answer: marked(answer, "Hit", kept.age), release: kept.reply.release, isStored: true };
  };
};

const placeOf = (request: ViewerRequest, keyed: keyof typeof cacheKeys): Place => {
  const { query: counts, maxSeconds } = cacheKeys[keyed];
  const query = counts === "none" ? "" : countedQuery(request.query, counts.except);
  return { key: cacheKeyOf(request, cacheKeys[keyed]), target: query === "" ? request.path : `${request.path}?${query}`, maxSeconds };
};

/** A request whose answer is to be kept: not a part, and not whether it is another than a visitor's. */
const unconditional = (call: Call): Call => {
  const { range, "if-none-match": tag, "if-modified-since": since, "if-range": ifRange, ...headers } = call.request.headers;
  return { ...call, request: { ...call.request, headers } };
};

const withHeader = (call: Call, name: string, value: string): Call => ({
  ...call,
  request: { ...call.request, headers: { ...call.request.headers, [name]: value } },
});

const marked = (answer: Answer, hit: "Hit" | "Miss" | "RefreshHit", age?: number): Answer => ({
  ...answer,
  headers: [
    ...answer.headers.filter(([name]) => name !== "x-cache" && (age === undefined || name !== "age")),
    ["x-cache", `${hit} from cloudfront`],
    ...(age === undefined ? [] : [["age", String(age)] as const]),
  ],
});
