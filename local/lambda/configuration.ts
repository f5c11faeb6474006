import * as z from "zod";
import type { Configuration } from "./records.ts";
import { invalid } from "./refusals.ts";

const ENVIRONMENT_LIMIT = 4096;

/** The settings that a function has beside its code, as both CreateFunction and UpdateFunctionConfiguration take them. */
export const Settings = z.object({
  Runtime: z.string().optional(),
  Role: z.string().optional(),
  Handler: z.string().max(128).optional(),
  Description: z.string().max(256).optional(),
  Timeout: z.int().min(1).max(900).optional(),
  MemorySize: z.int().min(128).max(10_240).optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.string()).optional() }).optional(),
  Layers: z.array(z.string()).optional(),
  TracingConfig: z.unknown().optional(),
  EphemeralStorage: z.unknown().optional(),
  LoggingConfig: z.unknown().optional(),
  DeadLetterConfig: z.unknown().optional(),
  VpcConfig: z.unknown().optional(),
  KMSKeyArn: z.unknown().optional(),
  SnapStart: z.unknown().optional(),
});
export type Settings = z.output<typeof Settings>;
export const settingNames: ReadonlySet<string> = new Set(Object.keys(Settings.shape));

const defaults: Configuration = {
  Runtime: "",
  Role: "",
  Handler: "",
  Description: "",
  Timeout: 3,
  MemorySize: 128,
  Architectures: ["x86_64"],
  passive: { TracingConfig: { Mode: "PassThrough" }, EphemeralStorage: { Size: 512 } },
};

/** The configuration after `settings`; what they leave out stays as it was. Refuses what Lambda, or this local one, cannot run. */
export const configured = (settings: Settings, before: Configuration = defaults): Configuration => {
  const { Runtime, Role, Handler, Description, Timeout, MemorySize, Environment, Layers, ...passive } = settings;
  if (Layers && Layers.length > 0) {
    throw invalid("The local Lambda runs no layers. Put the layer's files into the function's zip.");
  }
  const after: Configuration = {
    ...before,
    ...given({ Runtime, Role, Handler, Description, Timeout, MemorySize }),
    ...(Environment ? { Environment: environment(Environment.Variables ?? {}) } : {}),
    passive: { ...before.passive, ...given(passive) },
  };
  if (!after.Runtime.startsWith("nodejs")) {
    throw invalid(`The local Lambda runs Node.js only, not the runtime "${after.Runtime}". Give a Runtime such as nodejs24.x.`);
  }
  if (!after.Role) throw invalid("Role is missing. Give the ARN of a role; locally any will do.");
  if (!after.Handler) throw invalid("Handler is missing. Give file.export, such as index.handler.");
  return after;
};

const given = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

const RESERVED =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_DEFAULT_REGION|AWS_REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$/;

const environment = (Variables: Record<string, string>): Configuration["Environment"] => {
  if (Object.keys(Variables).length === 0) return undefined;
  const reserved = Object.keys(Variables).filter((name) => RESERVED.test(name));
  if (reserved.length > 0) {
    throw invalid(
      "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys " +
        `that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(", ")}`,
    );
  }
  const nameless = Object.keys(Variables).filter((name) => !/^[a-zA-Z]\w+$/.test(name));
  if (nameless.length > 0) {
    throw invalid(`Environment variable names must begin with a letter and have two or more of [a-zA-Z0-9_]: ${nameless.join(", ")}`);
  }
  const size = Buffer.byteLength(JSON.stringify(Variables));
  if (size > ENVIRONMENT_LIMIT) {
    throw invalid(
      "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. " +
        `They measure ${size} bytes.`,
    );
  }
  return { Variables };
};
