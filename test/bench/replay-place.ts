import { createHash } from "node:crypto";
import { join } from "node:path";
import { awsClients } from "../../engine/aws/clients.ts";
import { engine, systemClock } from "../../engine/wiring/engine.ts";
import { serveApi } from "../../local/api-server.ts";
import { clientOptions } from "../../local/client-options.ts";
import { startEndpoint } from "../../local/endpoint/endpoint.ts";
import { localNames, provisionEngine } from "../../local/provision/engine-resources.ts";
import { createApi } from "../../services/api/app.ts";
import { apiPorts } from "../../services/api/wiring.ts";

/** `node replay-place.ts <folder>`: the local AWS and the API in a process of their own, as `shiplog dev` has them, without consumers. */
const [, , folder = ""] = process.argv;
const TOKEN = "bench";
const endpoint = await startEndpoint({ dataDir: join(folder, "aws") });
const clients = awsClients(clientOptions(endpoint));
await provisionEngine(clients);
const config = {
  ...localNames,
  sites: [],
  tokens: { bench: createHash("sha256").update(TOKEN).digest("hex") },
};
const api = await serveApi(createApi(apiPorts(engine(config, clients, systemClock, () => undefined))), { port: 0 });
process.send?.({ endpoint: endpoint.url, credentials: endpoint.credentials, url: api.url, token: TOKEN });
process.once("disconnect", () => process.exit());
