import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { reservations } from "../blueprint/concurrency.ts";
import { awsClients, type Clients } from "../engine/aws/clients.ts";
import { isImageAnswer, isImageProbe } from "../engine/open-next/probe.ts";
import { type AccountLimits, USUAL_ACCOUNT } from "./account-limits.ts";
import { clientEnvironment, clientOptions } from "./client-options.ts";
import { type CodeBuildOptions, type LocalCodeBuild, startCodeBuild } from "./codebuild/codebuild.ts";
import { loadOrCreateCertificate } from "./edge/certificate.ts";
import { type Endpoint, startEndpoint } from "./endpoint/endpoint.ts";
import { functionAddress } from "./function-address.ts";
import { functionUrls } from "./function-urls.ts";
import { type LocalLambda, startLambda } from "./lambda/lambda.ts";

/** The local AWS: one endpoint, with everything behind it. */
export type LocalAws = {
  readonly endpoint: Endpoint;
  readonly lambda: LocalLambda;
  readonly codeBuild: LocalCodeBuild;
  readonly clients: Clients;
  /** for requests that wait for messages: each holds a connection, and none of the engine's own calls may wait for one */
  readonly polls: SQSClient;
  readonly certificate: { cert: string; key: string; caFile: string };
  close(): Promise<void>;
};

/** How builds are limited on this machine; only tests change it. */
export type BuildLimits = Pick<CodeBuildOptions, "maxConcurrentBuilds" | "minuteMs">;

export const startAws = async ({
  dataDir,
  port = 0,
  codeBuild: limits = {},
  account = USUAL_ACCOUNT,
  log,
}: {
  dataDir: string;
  port?: number;
  codeBuild?: BuildLimits;
  account?: AccountLimits;
  log(line: string): void;
}): Promise<LocalAws> => {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const certificate = await loadOrCreateCertificate(join(dataDir, "certificate"));
  const endpoint = await startEndpoint({ dataDir, port, account });
  const options = clientOptions(endpoint);
  const clients = awsClients(options);
  const polls = new SQSClient({ ...options, useQueueUrlAsEndpoint: false, requestHandler: { httpAgent: { maxSockets: 1_000 } } });
  const close = async (): Promise<void> => {
    clients.destroy();
    polls.destroy();
    await endpoint.close();
  };
  const lambda = await startLambda({
    dataDir,
    readObject: async (Bucket, Key) => {
      const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    environment: {
      ...clientEnvironment({ url: endpoint.url, credentials: endpoint.functionCredentials }),
      NODE_EXTRA_CA_CERTS: certificate.caFile,
    },
    account,
    // the engine's own functions run in this process, and count as those on AWS do
    reserved: reservations(account.concurrentInvocations),
    functionUrlOf: (id) => functionAddress(id, endpoint.port),
    log: (name, version, line) => log(`${name}:${version} ${line}`),
    quiet: { asks: (payload) => isImageProbe(payload.toString()), expects: (answer) => isImageAnswer(answer.toString()) },
  }).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  endpoint.mount("lambda", lambda.handle);
  endpoint.mount("functionUrl", functionUrls(lambda));
  const codeBuild = await startCodeBuild({
    ...limits,
    ...(account.builds !== undefined && { accountBuilds: account.builds }),
    dataDir,
    s3: clients.s3,
    emit: endpoint.emit,
    appendLog: endpoint.logs.append,
    secret: async (SecretId) => (await clients.secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString ?? "",
  }).catch(async (error: unknown) => {
    await lambda.close();
    await close();
    throw error;
  });
  endpoint.mount("codebuild", codeBuild.handle);
  return {
    endpoint,
    lambda,
    codeBuild,
    clients,
    polls,
    certificate,
    close: async () => {
      await codeBuild.close();
      await lambda.close();
      await close();
    },
  };
};
