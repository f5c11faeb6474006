import { GetFunctionConfigurationCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { VersionFacts } from "../../domain/projections/compare.ts";
import { unlessMissing } from "./errors.ts";

/** What a version of a function is made of, without its variables; `undefined` where it does not exist (any more). */
export const lambdaVersionFacts =
  (client: LambdaClient) =>
  async (name: string, version: string): Promise<VersionFacts | undefined> => {
    const found = await unlessMissing(client.send(new GetFunctionConfigurationCommand({ FunctionName: name, Qualifier: version })));
    return (
      found && {
        bytes: found.CodeSize ?? 0,
        memoryMb: found.MemorySize ?? 0,
        timeoutSeconds: found.Timeout ?? 0,
        architecture: found.Architectures?.[0] ?? "x86_64",
        runtime: found.Runtime ?? "",
      }
    );
  };
