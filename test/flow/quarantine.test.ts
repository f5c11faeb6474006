import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/support/run-cli.ts";
import { event, type LetterRoom, letterRoom } from "../support/letter-room.ts";
import { until } from "../support/until.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let room: LetterRoom;
beforeAll(async () => {
  world = await startWorld({ environments: ["production"] });
  room = letterRoom(world);
});
afterAll(() => world.close());

const letters: LetterRoom["letters"] = () => room.letters();
const poison: LetterRoom["poison"] = (...given) => room.poison(...given);
const told: LetterRoom["told"] = (type) => room.told(type);

describe("shiplog quarantine", () => {
  const cli = (...words: string[]) =>
    runCli(["quarantine", ...words], { env: { SHIPLOG_URL: world.dev.apiUrl, SHIPLOG_TOKEN: world.dev.token } });

  it("lists, shows, sends again and drops", async () => {
    expect(await cli("ls")).toMatchObject({ code: 0, out: "", err: "There are no dead letters.\n" });
    const { messageId } = await poison("project", event("e2"));
    const listed = await cli("ls");
    expect([listed.code, listed.out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^ID +CONSUMER +PUT ASIDE +REASON\\n${messageId} +project +\\d+s ago +\\S`)),
    ]);
    expect(JSON.parse((await cli("ls", "--json")).out)).toMatchObject({ letters: [{ messageId, tries: 1, decided: null }], unread: [] });
    const shown = await cli("show", messageId.slice(0, 10));
    expect([shown.code, shown.out]).toEqual([
      0,
      expect.stringMatching(/about +FlipRequested environment\/web\/production e2\n[\s\S]*"id": "e2"/),
    ]);
    expect(JSON.parse((await cli("show", messageId, "--json")).out).letter.body).toBe(event("e2"));

    const again = await cli("redrive", messageId.slice(0, 10), "--reason", "a trial");
    expect([again.code, again.out]).toEqual([0, `${messageId} was sent to project again.\n`]);
    // it can never be taken: it comes back under another id
    const back = await until("it again", async () => (await letters()).find((one) => one.messageId !== messageId));
    expect(await told("LetterRedriven")).toContainEqual([`letter/${messageId}`, "a trial", expect.stringContaining("(token local)")]);

    expect(await cli("drop", back.messageId)).toMatchObject({ code: 2, err: expect.stringContaining("--reason") });
    expect(await cli("drop", back.messageId, "--reason", "x")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Say it with --yes"),
    });
    const dropped = await cli("drop", back.messageId, "--reason", "nobody needs it", "--yes", "--json");
    expect([dropped.code, JSON.parse(dropped.out).letter.decided]).toEqual([
      0,
      expect.objectContaining({ what: "dropped", why: "nobody needs it" }),
    ]);
    expect(await cli("show", back.messageId)).toMatchObject({ code: 2, err: expect.stringContaining("has dropped it") });
    expect(await letters()).toEqual([]);
  });

  it("says of one that somebody was cut off from that it is there still, and finishes it", async () => {
    const letter = await poison("project", "half dropped");
    await room.dropHalf(letter, "old");
    expect((await cli("ls")).out).toContain("dropped by bob, and still there: ask for it once more. ");
    expect((await cli("show", letter.messageId)).out).toMatch(/decided +dropped by bob, and still there/);
    expect((await cli("drop", letter.messageId, "--reason", "old", "--yes")).code).toBe(0);
    expect(await letters()).toEqual([]);
    expect(await told("LetterDropped")).toContainEqual([`letter/${letter.messageId}`, "old", "bob"]);
  });

  it("sends all of a consumer again after it has asked, and nothing of another", async () => {
    await poison("project", "one");
    await poison("project", "two");
    const other = await poison("notify", "three");
    expect(await cli("redrive", "--all")).toMatchObject({ code: 2, err: expect.stringContaining("Send 3 dead letters") });
    expect(await cli("redrive")).toMatchObject({ code: 2, err: expect.stringContaining("Say which dead letter") });
    expect(await cli("redrive", other.messageId, "--consumer", "project")).toMatchObject({ code: 2 });
    const before = (await letters()).map(({ messageId }) => messageId);
    const all = await cli("redrive", "--all", "--consumer", "project", "--yes");
    expect([all.code, all.err]).toEqual([0, expect.stringContaining("2 were sent again.")]);
    await until("both again", async () => (await letters()).filter(({ messageId }) => !before.includes(messageId)).length === 2);
    expect((await letters()).map(({ messageId }) => messageId)).toContain(other.messageId);
  });
});
