import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { awsClients } from "../../engine/aws/clients.ts";
import { clientOptions } from "../../local/client-options.ts";
import { apiClient } from "./api-client.ts";
import type { KillPoint } from "./kill-point.ts";
import type { Order, Report } from "./killable-process.ts";

const PROCESS = fileURLToPath(new URL("./killable-process.ts", import.meta.url));

const STOPS_WITHIN_MS = 20_000;

export type KillableShiplog = Awaited<ReturnType<typeof startKillable>>;

/** Starts the whole engine in a process of its own, in a group of its own; resolves when it takes requests. */
export const startKillable = async (dataDir: string, sitesFile: string) => {
  const child = fork(PROCESS, [dataDir, sitesFile], { detached: true, execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const died = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  const output = (): string => said.join("").slice(-6_000);

  const report = async <Is extends Report["is"]>(is: Is): Promise<Extract<Report, { is: Is }>> => {
    const [first] = (await Promise.race([once(child, "message"), died])) as [Report | number | null];
    if (typeof first !== "object" || first?.is !== is) throw new Error(`the process did not say "${is}":\n${output()}`);
    return first as Extract<Report, { is: Is }>;
  };
  const order = (what: Order): void => void child.send(what);

  const { apiUrl, token, aws, siteUrl } = await report("ready");
  const clients = awsClients(clientOptions(aws));
  return {
    api: apiClient(apiUrl, token),
    /** where it serves, and with what token */
    access: { apiUrl, token, awsUrl: aws.url, siteUrl },
    siteUrl,
    clients,
    /** what it printed last, for messages */
    output,
    /** From now on it dies when it comes to that point. */
    dieAt: async (point: KillPoint): Promise<void> => {
      order({ die: point });
      await report("armed");
    },
    /** The signal that ended it, or its exit status; fails where it goes on living. */
    died: async (when: string, withinMs: number): Promise<NodeJS.Signals | number | null> => {
      const timeout = AbortSignal.timeout(withinMs);
      await Promise.race([died, once(timeout, "abort")]);
      if (child.exitCode === null && child.signalCode === null)
        throw new Error(`it did not die within ${withinMs / 1000} s (${when})\n${output()}`);
      clients.destroy();
      return child.signalCode ?? child.exitCode;
    },
    /** Stops it properly and gives its exit status; kills it where it does not end by itself. */
    stop: async (): Promise<NodeJS.Signals | number | null> => {
      clients.destroy();
      if (child.connected) order({ stop: true });
      const patience = setTimeout(() => child.kill("SIGKILL"), STOPS_WITHIN_MS);
      if (child.exitCode === null && child.signalCode === null) await died;
      clearTimeout(patience);
      return child.signalCode ?? child.exitCode;
    },
  };
};
