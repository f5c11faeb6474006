import { parse } from "yaml";
import * as z from "zod";
import { type CommandPhase, PhaseFailed } from "./build.ts";

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const lines = z.union([text.transform((line) => [line]), z.array(text)]);
const yes = z
  .union([z.boolean(), z.enum(["yes", "no"])])
  .transform((value) => value === true || value === "yes")
  .default(false);
const variables = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is not a variable's name"), text);

const commands = z.looseObject({
  commands: lines.default([]),
  finally: lines.default([]),
  "on-failure": z.enum(["ABORT", "CONTINUE"]).default("ABORT"),
  "runtime-versions": z.unknown().optional(),
});

const Buildspec = z.looseObject({
  version: z.union([z.literal(0.2), z.literal("0.2")], "must be 0.2"),
  env: z
    .looseObject({
      shell: z.enum(["bash", "sh", "/bin/sh"], "must be bash or sh").default("sh"),
      variables: variables.default({}),
      "secrets-manager": variables.default({}),
      "exported-variables": z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/)).default([]),
      "parameter-store": z.never("is not supported here; use secrets-manager").optional(),
    })
    .prefault({}),
  phases: z.looseObject({
    install: commands.optional(),
    pre_build: commands.optional(),
    build: commands.optional(),
    post_build: commands.optional(),
  }),
  artifacts: z
    .looseObject({
      files: lines,
      name: text.optional(),
      "base-directory": text.optional(),
      "exclude-paths": lines.default([]),
      "enable-symlinks": yes,
      "discard-paths": yes.refine((discard) => !discard, "yes is not supported here; use base-directory"),
      "secondary-artifacts": z.never("is not supported here").optional(),
    })
    .optional(),
  cache: z.looseObject({ paths: lines.default([]) }).optional(),
});

/** What the engine uses of buildspec 0.2. Unknown keys (reports, batch, proxy …) are ignored, as is `run-as`. */
export type Buildspec = z.output<typeof Buildspec>;

/** Parses a buildspec. Throws `PhaseFailed` with CodeBuild's code YAML_FILE_ERROR, naming the key that is wrong. */
export function parseBuildspec(source: string): Buildspec {
  let document: unknown;
  try {
    document = parse(source);
  } catch (cause) {
    throw new PhaseFailed("YAML_FILE_ERROR", `The buildspec is not valid YAML: ${(cause as Error).message}`, { cause });
  }
  const result = Buildspec.safeParse(document);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "buildspec"}: ${message}`);
  throw new PhaseFailed("YAML_FILE_ERROR", `The buildspec is not usable. ${problems.join("; ")}`);
}

const KEYS = { INSTALL: "install", PRE_BUILD: "pre_build", BUILD: "build", POST_BUILD: "post_build" } as const;

export const commandsOf = (buildspec: Buildspec, phase: CommandPhase) => buildspec.phases[KEYS[phase]];

/** A buildspec given with the request is either the document itself or the path of a file in the source. */
export const isInline = (buildspec: string) => buildspec.includes("\n") || /^\s*(version\s*:|\{)/.test(buildspec);
