import { api as declared } from "../blueprint/engine-functions.ts";
import { engineFunction } from "./engine-function.ts";

/** The HTTP API that the command line uses; who may call is decided by the function, from bearer tokens. */
const fn = engineFunction(declared);
export const api = new sst.aws.ApiGatewayV2("HttpApi", {
  // no browser of another origin has business here
  cors: false,
  accessLog: { retention: "1 month" },
  transform: { stage: { defaultRouteSettings: { throttlingBurstLimit: 100, throttlingRateLimit: 50 } } },
});
api.route("$default", fn.arn);

export const outputs = { api: api.url };
