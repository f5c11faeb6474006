import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layoutOf } from "../../cli/app-layout.ts";
import { type Development, startDevelopment } from "../../local/development.ts";
import { type ApiClient, apiClient } from "../support/api-client.ts";
import { until } from "../support/until.ts";
import { createNextApp, NEXT_16, openRoom, type Room, sh } from "./room.ts";

const BUILD_MS = 1_500_000;

let room: Room;
let app: string;
let dev: Development;
let api: ApiClient;
beforeAll(async () => {
  room = await openRoom();
  app = await createNextApp(room.folder, "plain", NEXT_16);
  await sh(app, "npm install --package-lock-only --no-audit --no-fund");
  dev = await startDevelopment({ dataDir: join(room.folder, "data"), appDir: app, log: () => undefined });
  api = apiClient(dev.apiUrl, dev.token);
});
afterAll(async () => {
  await dev?.close();
  await room?.close();
});

const deployed = async () => {
  const { id } = await api.deploy("plain", "production", await api.upload("plain", layoutOf(app).root));
  return until(
    `${id} to end`,
    async () => {
      const view = await api.deployment(id);
      return ["success", "failed", "cancelled", "superseded"].includes(view.status) ? view : undefined;
    },
    BUILD_MS,
  );
};

describe("what create-next-app wrote, with OpenNext among its packages and nothing else changed", () => {
  it("is live at the first try, with the deployment's id and every file of its page", async () => {
    const { id, status, reason, warnings } = await deployed();
    expect([status, reason, warnings]).toEqual(["success", null, []]);
    const url = dev.sites[0]?.url ?? "";
    const html = await (await fetch(url)).text();
    expect(html).toContain(`dpl=${id}`);
    const files = [...html.matchAll(/(?:src|href)="(\/_next\/[^"]+)"/g)].map(([, path = ""]) => path.replaceAll("&amp;", "&"));
    expect(files.length).toBeGreaterThan(2);
    for (const path of files) expect([path, (await fetch(new URL(path, url))).status]).toEqual([path, 200]);
  });
});
