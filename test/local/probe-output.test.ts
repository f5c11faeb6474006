import { CreateFunctionCommand, InvokeCommand, waitUntilFunctionActive } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pageProbe, probeOf } from "../../engine/open-next/probe.ts";
import { type LocalAws, startAws } from "../../local/aws.ts";
import { IMAGE_FUNCTION } from "../support/fixture-functions.ts";
import { ROLE, temporaryFolder, until, zip } from "./lambda-endpoint.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
const lines: string[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startAws({ dataDir: folder.path, log: (line) => lines.push(line) });
  const broken = IMAGE_FUNCTION.replace("if (missing) return {", "if (missing) return { statusCode: 500 };\n  if (missing) return {");
  await create("image", IMAGE_FUNCTION);
  await create("broken", broken);
  await create("thrown", broken.replace("return { statusCode: 500 }", "throw new Error('no sharp')"));
});
afterAll(async () => {
  await aws.close();
  await folder.remove();
});
beforeEach(() => void lines.splice(0));

const create = async (FunctionName: string, text: string): Promise<void> => {
  const { lambda } = aws.clients;
  const Code = { ZipFile: await zip({ "index.mjs": text }) };
  await lambda.send(new CreateFunctionCommand({ FunctionName, Role: ROLE, Runtime: "nodejs22.x", Handler: "index.handler", Code }));
  await waitUntilFunctionActive({ client: lambda, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
};
const at = { host: "web.example", checkPath: "/", originKeys: [], base: "" };
const { payload: probe } = probeOf({ role: "image" }, at, 0);
const ask = async (FunctionName: string, payload: unknown): Promise<string> => {
  const { LogResult } = await aws.clients.lambda.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload), LogType: "Tail" }),
  );
  return Buffer.from(LogResult ?? "", "base64").toString();
};
const REQUIRED = 'Error during validation of image params "url" parameter is required';

describe("the output of an image function", () => {
  it("is not shown for a probe that it answers as it should, and is in the log of that invocation", async () => {
    expect(await ask("image", probe)).toContain(REQUIRED);
    expect(await ask("image", probe)).toContain(REQUIRED);
    expect(lines).toEqual([]);
  });

  it("is shown for a probe that it answers with 500, or not at all", async () => {
    await ask("broken", probe);
    await ask("thrown", probe);
    expect(lines).toContain(`broken:$LATEST ${REQUIRED}`);
    expect(lines).toContain(`thrown:$LATEST ${REQUIRED}`);
  });

  it("is shown for a visitor, also right after a probe", async () => {
    const { payload } = pageProbe("/_next/image", at, 0);
    await Promise.all([ask("image", probe), ask("image", { ...payload, headers: { ...payload.headers, "user-agent": "Mozilla" } })]);
    await ask("image", pageProbe("/_next/image?url=%2Fa.png", at, 0).payload);
    await until("both are shown", () => lines.length >= 2);
    expect(lines).toEqual([`image:$LATEST ${REQUIRED}`, 'image:$LATEST Error during validation of image params "w" parameter is required']);
  });
});
