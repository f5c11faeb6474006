import { sitesSchema } from "../../blueprint/sites-schema.ts";
import { refusals } from "../../client/refusals.ts";
import type { JsonSchema } from "../../domain/kernel/json-schema.ts";
import { type EnvironmentVariable, environmentVariables, readByOthers } from "./environment-variables.ts";
import { code, fields, heading, joined, table } from "./markdown.ts";

const GROUPS: readonly (readonly [EnvironmentVariable["of"], string])[] = [
  ["commands", "Of every command"],
  ["dev", "Of `shiplog dev`"],
  ["aws", "Of `shiplog up`, `down` and `sst`"],
  ["github", "In a job of GitHub Actions"],
];

/** Every environment variable that a person may set. */
export const environmentPage = (): string =>
  joined(
    heading(
      "Environment variables",
      "What Shiplog reads of its environment. An empty value is none. Options of a command go before it. Variables of your sites are another thing: [`shiplog env`](variables.md).",
    ).trimEnd(),
    ...GROUPS.flatMap(([of, title]) => [
      `## ${title}`,
      table(
        ["variable", "what", "without it"],
        environmentVariables.filter((one) => one.of === of).map(({ name, what, usual = "" }) => [code(name), what, usual]),
      ),
    ]),
    "## Read by what Shiplog uses",
    table(
      ["variable", "what"],
      readByOthers.map(([names, what]) => [names.map(code).join(", "), what]),
    ),
  );

type Node = { readonly properties?: Record<string, Node>; readonly items?: Node } & JsonSchema;

const inline = (name: string): string => code(name);

/** Every field of the sites file with its bounds and default; what they are for stands in docs/sites-file.md. */
export const sitesFilePage = (): string => {
  const schema = sitesSchema() as Node;
  const site = schema.properties?.sites?.items ?? {};
  return joined(
    heading(
      "Fields of the sites file",
      "`shiplog.sites.json` as its JSON Schema has it (`shiplog schema sites`). [The sites file](../sites-file.md) explains it, with an example. A field that is not here is refused.",
    ).trimEnd(),
    fields(schema, inline)
      .replace(/^\| `sites\[\]\..*\n?/gm, "")
      .trimEnd(),
    "## A site",
    fields(site, inline)
      .replace(/^\| `environments\[\]\..*\n?/gm, "")
      .trimEnd(),
    "## An environment",
    fields(site.properties?.environments?.items ?? {}, inline),
  );
};

const STATUSES: Readonly<Record<number, string>> = {
  400: "What was sent is not valid",
  401: "Who asks is not known",
  403: "Who asks may not",
  404: "There is no such thing",
  409: "The rules say no",
  413: "Too long",
  422: "A key was used for two requests",
  500: "A fault",
  503: "Not now",
  507: "No space",
};

/** Every code that the API refuses with, by its status. */
export const refusalCodesPage = (): string =>
  joined(
    heading(
      "Refusal codes",
      'The API refuses with `{"error": {"code", "message"}}`; the command gives the same in `error` with `--json`. Rely on the code; the message is for people. Each leads to what to do about it.',
    ).trimEnd(),
    ...[...new Set(refusals.map(({ status }) => status))].flatMap((status) => [
      `## ${status}`,
      `${STATUSES[status] ?? ""}.`,
      table(
        ["code", "when"],
        refusals
          .filter((one) => one.status === status)
          .map((one) => [`[${code(one.code)}](../troubleshooting.md#${one.code.replaceAll(".", "")})`, one.when]),
      ),
    ]),
  );
