import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiRoom, openApiRoom, TOKEN } from "../support/api-room.ts";
import { siteConfigOf } from "../support/site-config.ts";
import { until } from "../support/until.ts";

let room: ApiRoom;
let whole: ApiRoom;
/** How far the API's clock is ahead of this machine's. */
let ahead = 0;
const site = { sites: ["web", "docs", "shop"].map((name) => siteConfigOf(name, "production")) };
beforeAll(async () => {
  room = await openApiRoom(site, (ports) => ({
    ...ports,
    // looks come quicker; a reader who takes nothing is waited for half a second
    streaming: { sleep: (ms) => wait(ms === 500 ? 5 : 500) },
    clock: { now: () => Date.now() + ahead },
  }));
  whole = await openApiRoom(site);
}, 60_000);
afterAll(async () => {
  // a stream that was cut off may be reading still
  await wait(200);
  await room.close();
  await whole.close();
});

type Message = { id?: string; event?: string; data?: string; comment?: string };

/** Reads a stream of events until it is cut off or ends. */
const follow = async (query = "", headers: Record<string, string> = {}, token = TOKEN) => {
  const cut = new AbortController();
  const answer = await room.app.request(`/v1/stream${query}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    signal: cut.signal,
  });
  const messages: Message[] = [];
  let ended = false;
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const reading = (async () => {
    let text = "";
    for (;;) {
      const { done, value } = await (reader as NonNullable<typeof reader>).read();
      if (done) break;
      text += value;
      const parts = text.split("\n\n");
      text = parts.pop() ?? "";
      messages.push(...parts.map(messageOf));
    }
    ended = true;
  })().catch(() => undefined);
  return {
    answer,
    messages,
    events: () => messages.filter(({ event, data }) => event === undefined && data !== undefined),
    ended: () => ended,
    cut: async () => {
      await reader?.cancel();
      await reading;
    },
  };
};
const messageOf = (text: string): Message =>
  Object.fromEntries(
    text.split("\n").map((line) => {
      const at = line.indexOf(": ");
      return [line.slice(0, at) || "comment", line.slice(at + 2)];
    }),
  );
/** In every site at once, one after the other in each. */
const change = (times: number): Promise<unknown> =>
  Promise.all(
    site.sites.map(async ({ site: name }) => {
      for (let n = 0; n < times; n++)
        await room.ask("POST", `/environments/${name}/production/${n % 2 === 0 ? "pin" : "unpin"}`, { reason: String(n) });
    }),
  );
const logged = async (): Promise<string[]> => (await room.ask("GET", "/events?limit=1000")).body.events.map(({ id }: { id: string }) => id);

describe("/v1/stream", () => {
  it("goes on where it was cut off, without loss or repetition", async () => {
    const given: string[] = [];
    let last: string | undefined;
    for (const turn of [1, 2, 3, 4, 5, 6]) {
      const here = await follow(last === undefined ? "?since=2020-01-01" : "", last === undefined ? {} : { "last-event-id": last });
      await change(4);
      const wanted = given.length + turn;
      await until("some events came", async () => given.length + here.events().length >= wanted);
      // in the midst of what comes
      const taken = here.events().slice(0, turn);
      given.push(...taken.map(({ data = "" }) => (JSON.parse(data) as { id: string }).id));
      last = taken.at(-1)?.id;
      await here.cut();
    }
    const rest = await follow("", { "last-event-id": last ?? "" });
    const all = await logged();
    await until("all came", async () => given.length + rest.events().length >= all.length);
    await wait(50);
    given.push(...rest.events().map(({ data = "" }) => (JSON.parse(data) as { id: string }).id));
    await rest.cut();
    expect(given).toHaveLength(all.length);
    expect(new Set(given)).toEqual(new Set(all));
  });

  it("begins now where nobody says since when, and has each event as the log has it, its id beginning with its position", async () => {
    const here = await follow();
    expect([here.answer.status, here.answer.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    await until("it is open", async () => here.messages.length > 0);
    await room.ask("POST", "/environments/web/production/pin", { reason: "now" });
    await until("it came", async () => here.events().length > 0);
    const [{ id = "", data = "" } = {}] = here.events();
    const event = JSON.parse(data);
    expect((await room.ask("GET", "/events?limit=1000")).body.events.at(-1)).toEqual(event);
    expect(id.split("~")[0]).toBe(event.position);
    await here.cut();
  });

  it("gives a sign of life at once and every fifteen seconds: a comment, and an event that a page sees", async () => {
    const here = await follow();
    const beats = () => here.messages.filter(({ event }) => event === "beat");
    await until("the first", async () => beats().length === 1);
    ahead += 14_000;
    await wait(50);
    expect(beats()).toHaveLength(1);
    ahead += 1_000;
    await until("the second", async () => beats().length === 2);
    expect(beats()[1]).toMatchObject({ comment: expect.stringMatching(/^\d{4}-/), id: expect.stringMatching(/^\d{15}~/) });
    ahead = 0;
    await here.cut();
  });

  it("ends with the session that opened it", async () => {
    const { body } = await room.ask("POST", "/sessions", {});
    const [own, other] = [await follow("", {}, body.secret), await follow()];
    await room.ask("POST", `/sessions/${body.session.id}/end`);
    ahead = 15_000;
    await until("it ended", async () => own.ended());
    expect(other.ended()).toBe(false);
    ahead = 0;
    await other.cut();
  });

  it.each([
    ["?since=yesterday", {}],
    ["", { "last-event-id": "nonsense" }],
  ])("refuses %j %j", async (query, headers) => {
    const answer = await room.ask("GET", `/stream${query}`, undefined, headers as Record<string, string>);
    expect([answer.status, answer.body.error.code]).toEqual([400, "query.invalid"]);
  });

  it("opens a hundred at a time, and one more where one was closed", async () => {
    const open = await Promise.all(Array.from({ length: 100 }, () => follow()));
    const refused = await room.ask("GET", "/stream");
    expect([refused.status, refused.body.error.code]).toEqual([503, "stream.busy"]);
    await open[0]?.cut();
    const again = await until("there is room", async () => {
      const one = await follow();
      return one.answer.status === 200 ? one : undefined;
    });
    for (const one of [...open, again]) await one.cut();
  });

  it("is not opened by who asks for its head alone, nor kept open by who reads nothing", async () => {
    const ask = (method: string) =>
      room.app.request("/v1/stream?since=2020-01-01", { method, headers: { authorization: `Bearer ${TOKEN}` } });
    for (let n = 0; n < 110; n++) expect((await ask("HEAD")).status).toBe(200);
    await Promise.all(Array.from({ length: 100 }, () => ask("GET")));
    expect((await ask("GET")).status).toBe(503);
    const again = await until("there is room again", async () => {
      const one = await follow();
      return one.answer.status === 200 ? one : undefined;
    });
    await again.cut();
  });

  it("says what to ask instead where answers come whole", async () => {
    const answer = await whole.ask("GET", "/stream");
    expect([answer.status, answer.body.error.code]).toEqual([501, "stream.unavailable"]);
  });
});

describe("a stream", () => {
  it("names people as answers do", async () => {
    const reader = await follow();
    await room.ask("POST", "/environments/shop/production/lock", { reason: "whose" }, { "x-shiplog-actor": "carla" });
    await until("the lock to be told", async () => reader.events().some(({ data }) => data?.includes("whose")));
    const { data = "" } = reader.events().find((one) => one.data?.includes("whose")) ?? {};
    expect(JSON.parse(data)).toMatchObject({ actor: "carla (token default)" });
    await reader.cut();
  });
});
