import { api as declared } from "../blueprint/engine-functions.ts";
import { engineFunction } from "./engine-function.ts";
import { httpApi } from "./http-api.ts";

/** The HTTP API that the command line uses; who may call is decided by the function, from bearer tokens. */
const fn = engineFunction(declared);
httpApi.route("$default", fn.arn);

export const outputs = { api: httpApi.url };
