import { UpdateProjectCommand } from "@aws-sdk/client-codebuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeBuilds } from "../../engine/aws/builds.ts";
import { openRoom, type Room, spec } from "../local/codebuild-room.ts";

/** How builds are asked for: CodeBuild's contract, at the local one. */
let room: Room;
beforeAll(async () => {
  room = await openRoom();
});
afterAll(() => room.close());

it("keeps what builds leave for later ones apart for each environment", async () => {
  await room.putSource("web.zip", {
    "buildspec.yml": spec({
      build: ["echo found: $(cat .next/cache/left)", 'mkdir -p .next/cache && echo "$SHIPLOG_ENVIRONMENT" > .next/cache/left'],
      cache: { paths: [".next/cache/**/*"] },
    }),
  });
  await room.client.send(new UpdateProjectCommand({ name: "web", source: { type: "NO_SOURCE", buildspec: "buildspec.yml" } }));
  const builds = codeBuilds(room.client);
  const found = async (n: number, environment: string): Promise<string | undefined> => {
    const { id } = await builds.start({
      project: "web",
      deploymentId: `dep_${n}`,
      site: "web",
      environment,
      source: { key: "web.zip", sha256: "0".repeat(64), bytes: 1 },
      sourcesBucket: "sources",
      artifactsBucket: "artifacts",
      folders: { builds: `builds/web/${environment}`, cache: `caches/web/${environment}` },
      secret: "none",
      secretNames: [],
      timeoutMinutes: 5,
    });
    await room.ended({ id });
    return room.log.find(({ stream, message }) => id.endsWith(stream) && message.startsWith("found:"))?.message;
  };
  expect(await found(1, "preview")).toBe("found:");
  expect(await found(2, "production")).toBe("found:");
  expect(await found(3, "preview")).toBe("found: preview");
  expect(await found(4, "production")).toBe("found: production");
});
