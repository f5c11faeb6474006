import { apiPage } from "./api-page.ts";
import { cliPage, exitCodesPage } from "./cli-pages.ts";
import { eventsPage, webhooksPage } from "./event-pages.ts";
import { environmentPage, refusalCodesPage, sitesFilePage } from "./settings-pages.ts";

/** Where the pages are. */
export const REFERENCE = "docs/reference";

/** Every page of the reference that is made of the code, by its file. */
export const pages: Readonly<Record<string, () => string>> = {
  "cli.md": cliPage,
  "exit-codes.md": exitCodesPage,
  "environment.md": environmentPage,
  "sites-file.md": sitesFilePage,
  "api.md": apiPage,
  "refusal-codes.md": refusalCodesPage,
  "events.md": eventsPage,
  "webhooks.md": webhooksPage,
};
