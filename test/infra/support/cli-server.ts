import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ACCOUNT, REGION } from "./aws-answers.ts";
import { type BuiltHandler, buildHandler } from "./build-handler.ts";
import { root } from "./bundle-config.ts";

export type Build = { readonly functionId: string; readonly handler: string } & Pick<BuiltHandler, "errors" | "bytes" | "out">;

/** What SST's components ask of its CLI while the graph is made: the account's bootstrap, and bundles of handlers. */
export const startCliServer = async (scratch: string) => {
  const builds: Build[] = [];
  const methods: Record<string, (input: { functionID: string; handler: string }) => unknown> = {
    "Provider.Aws.Bootstrap": () => ({
      asset: "sst-asset-mock",
      state: "sst-state-mock",
      assetEcrRegistryId: ACCOUNT,
      assetEcrUrl: `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/sst-asset`,
      appsyncHttp: "",
      appsyncRealtime: "",
    }),
    "Runtime.Build": async ({ functionID, handler }) => {
      const built = await buildHandler(root, handler, join(scratch, "artifacts", `${functionID}-src`));
      builds.push({ functionId: functionID, handler, errors: built.errors, bytes: built.bytes, out: built.out });
      return built;
    },
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, params } = JSON.parse(Buffer.concat(chunks).toString()) as { method: string; params: [never] };
    const answer = async () => {
      const ask = methods[method];
      if (ask === undefined) return { error: `rpc: can't find method ${method}` };
      return { result: await ask(params[0]) };
    };
    const reply = await answer().catch((error: unknown) => ({ error: String(error) }));
    response.setHeader("content-type", "application/json").end(JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, builds, close: () => server.close() };
};
