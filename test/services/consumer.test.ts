import type { SQSEvent, SQSRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { consumers, retrySeconds } from "../../blueprint/topology.ts";
import { isOutage } from "../../engine/aws/errors.ts";
import { consumer, type Delivery, NotYet, type RedeliveryQueue, Unprocessable } from "../../engine/kit/consumer.ts";
import type { Together } from "../../engine/kit/together.ts";

const MAX_RECEIVES = 4;
const Lamp = z.object({ lamp: z.string() });
type Lamp = z.infer<typeof Lamp>;
const message = (messageId: string, body: unknown, receives = 1) =>
  ({
    messageId,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: { ApproximateReceiveCount: String(receives) },
  }) as SQSRecord;

/** A consumer of lamps, and everything that it did with its messages. */
const room = (
  handle: (lamp: Lamp, delivery: Delivery) => Promise<void> | void,
  broken: Partial<RedeliveryQueue> = {},
  maxReceives = MAX_RECEIVES,
  together?: Together<Lamp>,
) => {
  const did = {
    handled: [] as string[],
    deadLettered: [] as [id: string, reason: string][],
    retried: [] as [id: string, seconds: number][],
    log: [] as Readonly<Record<string, unknown>>[],
  };
  const redelivery: RedeliveryQueue = {
    deadLetter: async ({ messageId }, reason) => void did.deadLettered.push([messageId, reason]),
    retryIn: async ({ messageId }, seconds) => void did.retried.push([messageId, seconds]),
    isOutage,
    log: (line) => void did.log.push(line),
    ...broken,
  };
  const handler = consumer(
    maxReceives,
    redelivery,
    (body) => Lamp.parse(JSON.parse(body)),
    async (lamp, delivery) => {
      await handle(lamp, delivery);
      did.handled.push(lamp.lamp);
    },
    together,
  );
  const receive = async (...Records: SQSRecord[]) => {
    const { batchItemFailures } = await handler({ Records } as SQSEvent);
    return { ...did, returned: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier) };
  };
  return { receive };
};
const north = { lamp: "north" };
const failing = (error: unknown) => () => {
  throw error;
};

describe("a consumer", () => {
  it("acknowledges what it handled", async () => {
    const { handled, returned, log } = await room(() => {}).receive(message("m1", north), message("m2", { lamp: "south" }));
    expect(handled).toEqual(["north", "south"]);
    expect(returned).toEqual([]);
    expect(log).toEqual([]);
  });
  it("lets a message that fails come again alone", async () => {
    const { receive } = room(({ lamp }) => {
      if (lamp === "broken") throw new Error("no current");
    });
    const { handled, returned, retried, deadLettered } = await receive(
      message("m1", north),
      message("m2", { lamp: "broken" }),
      message("m3", { lamp: "south" }),
    );
    expect(handled).toEqual(["north", "south"]);
    expect(returned).toEqual(["m2"]);
    expect(retried).toEqual([["m2", 2]]);
    expect(deadLettered).toEqual([]);
  });
  it("waits longer each time, and never the same as its neighbour for long", async () => {
    const waits = [];
    for (const receives of [1, 2, 3]) {
      const { retried } = await room(failing(new Error("no current"))).receive(message("m1", north, receives));
      waits.push(retried[0]?.[1] ?? 0);
    }
    expect(waits[0]).toBe(2);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    const late = await room(failing(new Error("no current")), { deadLetter: failing(new Error("away")) as never }).receive(
      ...["m1", "m2", "m3"].map((id) => message(id, north, 20)),
    );
    expect(new Set(late.retried.map(([, seconds]) => seconds)).size).toBe(3);
  });
  it("sets its waits once the whole batch is dealt with: who hides messages meanwhile undoes none", async () => {
    const order: string[] = [];
    await room(
      async ({ lamp }) => {
        if (lamp === "broken") throw new Error("no current");
        await new Promise((resolve) => setTimeout(resolve, 20));
        order.push("handled");
      },
      { retryIn: async () => void order.push("set") },
    ).receive(message("m1", { lamp: "broken" }), message("m2", north));
    expect(order).toEqual(["handled", "set"]);
  });
  it("returns a message whose wait could not be set: the queue's own time is over some day", async () => {
    const { returned } = await room(failing(new Error("no current")), { retryIn: failing(new Error("throttled")) as never }).receive(
      message("m1", north),
    );
    expect(returned).toEqual(["m1"]);
  });
  it("says why a message failed, in one line", async () => {
    const { log } = await room(failing(new TypeError("no current"))).receive(message("m1", north));
    expect(log[0]).toMatchObject({ level: "warn", messageId: "m1", receives: 1, reason: "TypeError: no current" });
  });
  it("tells its work which delivery this is", async () => {
    const seen: Delivery[] = [];
    const { receive } = room((_, delivery) => void seen.push(delivery));
    for (const receives of [1, 2, MAX_RECEIVES]) await receive(message("m1", north, receives));
    expect(seen).toMatchObject([
      { last: false, receives: 1 },
      { last: false, receives: 2 },
      { last: true, receives: MAX_RECEIVES },
    ]);
  });
});

describe("a consumer puts aside", () => {
  it("what can't be read, at the door, with the place of the fault", async () => {
    const { handled, returned, deadLettered } = await room(() => {}).receive(message("m1", { lamp: 7 }), message("m2", "{not json"));
    expect(handled).toEqual([]);
    expect(returned).toEqual([]);
    expect(deadLettered).toEqual([
      ["m1", expect.stringMatching(/^lamp: .*string/)],
      ["m2", expect.stringContaining("JSON")],
    ]);
  });
  it("what no retry can help, at once", async () => {
    const { returned, deadLettered, retried } = await room(failing(new Unprocessable("the lamp was sold"))).receive(message("m1", north));
    expect(deadLettered).toEqual([["m1", "the lamp was sold"]]);
    expect(returned).toEqual([]);
    expect(retried).toEqual([]);
  });
  it("what failed for the last time, with the number of tries and the reason", async () => {
    const { returned, deadLettered, retried } = await room(failing(new Error("no current"))).receive(message("m1", north, MAX_RECEIVES));
    expect(deadLettered).toEqual([["m1", "gave up after 4 tries: no current"]]);
    expect(returned).toEqual([]);
    expect(retried).toEqual([]);
  });
  it("nothing one delivery too early", async () => {
    const { returned, deadLettered } = await room(failing(new Error("no current"))).receive(message("m1", north, MAX_RECEIVES - 1));
    expect(deadLettered).toEqual([]);
    expect(returned).toEqual(["m1"]);
  });
});

describe("a consumer whose work is a step of a deployment", () => {
  const away = Object.assign(new Error("the table is away"), { $fault: "server" });
  const own = new Error("no current");
  /** Gives up when it may, and says so. */
  const step = (error: unknown, receives: number, said?: unknown) =>
    room(
      (_, { givesUp }) => {
        if (givesUp(error) && said !== undefined) throw said;
        throw error;
      },
      {},
      24,
    ).receive(message("m1", north, receives));

  it("gives up after a minute of faults of its own, with the reason", async () => {
    expect((await step(own, 5)).returned).toEqual(["m1"]);
    expect((await step(own, 6)).deadLettered).toEqual([["m1", "gave up after 6 tries: no current"]]);
  });
  it("counts no delivery that it could not begin with", async () => {
    const left: boolean[] = [];
    for (const receives of [8, 9])
      await room((_, { givesUp }) => void left.push(givesUp(own, 3)), {}, 24).receive(message("m1", north, receives));
    expect(left).toEqual([false, true]);
  });
  it("waits for a service that is away, as long as the message comes", async () => {
    for (const receives of [6, 12, 23]) expect((await step(away, receives)).returned).toEqual(["m1"]);
    expect((await step(away, 24)).deadLettered).toEqual([["m1", "gave up after 24 tries: the table is away"]]);
  });
  it("comes again where it could not write down that it gave up", async () => {
    const { returned, deadLettered } = await step(own, 6, away);
    expect(returned).toEqual(["m1"]);
    expect(deadLettered).toEqual([]);
  });
});

describe("the topology's retries", () => {
  const HOUR_SECONDS = 3_600;
  it("outlast an hour's outage, at the shortest that chance makes them", () => {
    for (const { maxReceives } of consumers) {
      let seconds = 0;
      for (let receives = 1; receives < maxReceives; receives++) seconds += retrySeconds(receives, 1);
      expect(seconds).toBeGreaterThan(HOUR_SECONDS);
    }
  });
  it("begin within seconds, and never wait longer than a person does", () => {
    expect([1, 2, 3].map((receives) => retrySeconds(receives, 0))).toEqual([2, 4, 8]);
    for (let receives = 1; receives <= 1_000; receives++) expect(retrySeconds(receives, 0)).toBeLessThanOrEqual(300);
  });
  it("know an outage from a fault", () => {
    const named = (name: string, more: object = {}) => Object.assign(new Error(name), { name, ...more });
    for (const error of [
      away(),
      named("ThrottlingException", { $metadata: { httpStatusCode: 400 } }),
      named("SlowDown"),
      named("ResourceConflictException", { $fault: "client", $metadata: { httpStatusCode: 409 } }),
      named("TimeoutError"),
      Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
      new Error("wrapped", { cause: away() }),
    ])
      expect(isOutage(error)).toBe(true);
    for (const error of [
      named("AccessDeniedException", { $fault: "client", $metadata: { httpStatusCode: 403 } }),
      new TypeError("x is undefined"),
      "text",
    ])
      expect(isOutage(error)).toBe(false);
    function away() {
      return named("InternalServerError", { $metadata: { httpStatusCode: 500 } });
    }
  });
});

describe("a consumer that is not ready yet", () => {
  it("has its message come again after the time that it says, and sends nothing to its own queue", async () => {
    const { returned, retried, deadLettered, log } = await room(failing(new NotYet("the lamp is on its way", 30))).receive(
      message("m1", north),
    );
    expect(retried).toEqual([["m1", 30]]);
    expect(returned).toEqual(["m1"]);
    expect([deadLettered, log]).toEqual([[], []]);
  });
});

describe("when the redelivery queue itself fails", () => {
  const down = failing(new Error("the queue is down")) as never;

  it.each([
    ["put aside at the door", message("m1", "{not json"), () => {}],
    ["put aside for good", message("m1", north), failing(new Unprocessable("the lamp was sold"))],
    ["put aside at last", message("m1", north, MAX_RECEIVES), failing(new Error("no current"))],
  ])("a message to be %s is returned to its queue: none vanishes", async (_, record, handle) => {
    const { returned, log, handled } = await room(handle, { deadLetter: down }).receive(record, message("m2", "{not json"));
    expect(returned).toEqual(["m1", "m2"]);
    expect(handled).toEqual([]);
    expect(log.at(-1)).toMatchObject({ level: "error", reason: "the queue is down" });
  });
});

describe("a consumer that handles messages together", () => {
  const together: Together<Lamp> = {
    key: ({ lamp }) => lamp.slice(0, 1),
    merge: (lamps) => ({ lamp: lamps.map(({ lamp }) => lamp).join("+") }),
  };
  const inGroups = (handle: Parameters<typeof room>[0]) => room(handle, {}, MAX_RECEIVES, together);

  it("handles those of one batch that belong together once, and the others by themselves", async () => {
    const { receive } = inGroups(() => {});
    const batch = ["a1", "b1", "a2", "a3"].map((lamp, n) => message(`m${n}`, { lamp }));
    expect(await receive(...batch)).toMatchObject({ handled: ["a1+a2+a3", "b1"], returned: [] });
    expect((await receive(message("m9", { lamp: "a1" }))).handled).toEqual(["a1+a2+a3", "b1", "a1"]);
  });
  it("lets each of them come again where that fails, and dead-letters alone who came too often", async () => {
    const failsForA = ({ lamp }: Lamp): void => {
      if (lamp.startsWith("a")) throw new Error("the light is out");
    };
    const { handled, returned, deadLettered } = await inGroups(failsForA).receive(
      message("m1", { lamp: "a1" }),
      message("m2", { lamp: "a2" }, MAX_RECEIVES),
      message("m3", { lamp: "b1" }),
    );
    expect([handled, returned]).toEqual([["b1"], ["m1"]]);
    expect(deadLettered).toEqual([["m2", `gave up after ${MAX_RECEIVES} tries: the light is out`]]);
  });
  it("dead-letters what cannot be read, and handles the others", async () => {
    const { handled, deadLettered } = await inGroups(() => {}).receive(message("m1", "no JSON"), message("m2", { lamp: "a1" }));
    expect([handled, deadLettered.map(([id]) => id)]).toEqual([["a1"], ["m1"]]);
  });
});
