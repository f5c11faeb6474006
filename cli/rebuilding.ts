import { DescribeTableCommand, type DynamoDBClient, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { fillIn } from "../infra/rights.ts";
import { buckets } from "../infra/stores.ts";
import { EVENTS_TABLE, SEAL_KEY, VIEWS_TABLE } from "../infra/topology.ts";
import { type ClientOptions, dynamodbClient, kmsClient, s3Client } from "../services/aws/clients.ts";
import { systemClock } from "../services/kit/clock.ts";
import { NotTheLog, replay, Unfinished, verifyViews, type Wanted } from "../services/replay/replay.ts";
import { wire } from "../services/replay/wiring.ts";
import { type Connection, findConnection } from "./connection.ts";
import type { Context } from "./context.ts";
import { CliError, exit, usageError } from "./failure.ts";

export type Rebuilding = Awaited<ReturnType<typeof openRebuilding>>;

/** Accepted by the local AWS, which asks for no credentials, and secret from nobody. */
const LOCAL: ClientOptions = { region: "eu-west-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

/**
 * Opens the log, the archive and the table of views of an engine: the local one of `shiplog dev`, or that of the account
 * which the SDK's ordinary rules name (AWS_REGION, AWS_PROFILE, …). It takes as long as it takes, so it runs here and not
 * behind the API.
 *
 * @param by one name for this run
 */
export async function openRebuilding(context: Context, by: string) {
  const { terminal, signal } = context;
  const endpoint = known(context)?.endpoint;
  const options = endpoint === undefined ? {} : { ...LOCAL, endpoint };
  const clients = { dynamodb: dynamodbClient(options), s3: s3Client(options), kms: kmsClient(options) };
  const close = (): void => {
    for (const client of Object.values(clients)) client.destroy();
  };
  try {
    const archive = endpoint === undefined ? await archiveOf(clients.dynamodb) : buckets.archive.name;
    const names = { eventsTable: EVENTS_TABLE, viewsTable: VIEWS_TABLE, archive, sealKey: SEAL_KEY };
    const ports = wire(clients, names, { clock: systemClock, by, tell: (line) => terminal.note(line), signal });
    return {
      rebuild: ({ restart, ...wanted }: Wanted & { restart: boolean }) => replay(ports, wanted, { restart }).catch(explain),
      verify: (wanted: Wanted) => verifyViews(ports, wanted).catch(explain),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The bucket of sealed segments carries the account's number and the region, as the event table's ARN does. */
async function archiveOf(dynamodb: DynamoDBClient): Promise<string> {
  try {
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: EVENTS_TABLE }));
    const [, , , region = "", account = ""] = Table?.TableArn?.split(":") ?? [];
    return fillIn("archive", account, region);
  } catch (error) {
    const { name, message } = error as Error;
    throw usageError(
      error instanceof ResourceNotFoundException
        ? `There is no event table "${EVENTS_TABLE}" in this account and region.`
        : `AWS cannot be asked: ${name}: ${message}.`,
      "Set AWS_REGION and credentials (AWS_PROFILE, or `aws sso login`), or start a local engine with `shiplog dev`.",
    );
  }
}

/** Without an engine's address there is still the account. */
function known({ data }: Context): Connection | undefined {
  try {
    return findConnection(data, process.env, process.cwd());
  } catch (error) {
    if (data === undefined && error instanceof CliError) return undefined;
    throw error;
  }
}

function explain(error: unknown): never {
  if (error instanceof NotTheLog) {
    const rows = error.differences.map(({ stream, what }) => `${stream}: ${what}`).join("\n");
    throw new CliError(exit.failed, "views.differ", `${sentence(error)} Readers still have the rows before.\n${rows}`, {
      next: "Run it again; where it happens again, the projection and the rebuild are of different releases.",
      cause: error,
    });
  }
  if (error instanceof Unfinished)
    throw new CliError(exit.conflict, "replay.unfinished", sentence(error), {
      next: "Finish it with the same view, or drop it with --restart.",
      cause: error,
    });
  if (error instanceof Error && error.name === "Occupied")
    throw new CliError(exit.conflict, "replay.occupied", sentence(error), { next: "Wait for it, or stop it.", cause: error });
  if (error instanceof Error && error.name === "NotAsSealed")
    throw new CliError(
      exit.failed,
      "segment.tampered",
      `${sentence(error)} Nothing was rebuilt from it; readers still have what they had.`,
      {
        next: "Find the place with `shiplog audit verify`. The event table alone is read with --from table.",
        cause: error,
      },
    );
  throw error;
}

const sentence = ({ message }: Error): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
