import { afterAll, beforeAll, expect, it } from "vitest";
import { startWorld, type World } from "../support/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({ environments: ["kept"] });
  await world.live("kept");
});
afterAll(() => world.close());

const visit = async (path: string) => {
  const { headers, body } = await fetch(`${world.urlOf("kept")}${path}`, { headers: { accept: "text/html" } });
  expect(await new Response(body).text()).toContain("For everybody");
  return { cookie: headers.get("set-cookie"), said: headers.get("cache-control"), from: headers.get("x-cache") };
};

it("keeps a page that the app lets be kept, and none that sets a cookie: that is one visitor's alone", async () => {
  await visit("/kept");
  expect(await visit("/kept")).toEqual({ cookie: null, said: "s-maxage=60", from: "Hit from cloudfront" });
  const [ada, grace] = [await visit("/kept-with-cookie"), await visit("/kept-with-cookie")];
  for (const { said, from } of [ada, grace]) expect([said, from]).toEqual(["private, no-store", "Miss from cloudfront"]);
  expect(ada.cookie).toMatch(/^visitor=/);
  expect(grace.cookie).not.toBe(ada.cookie);
});
