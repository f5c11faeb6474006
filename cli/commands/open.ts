import { randomUUID } from "node:crypto";
import type { Context, Register } from "../context.ts";

/** The dashboard in a browser, signed in. */
export const openCommand: Register = (program, run) =>
  void program
    .command("open")
    .description("open the dashboard in a browser, signed in")
    .option("--print", "print the link instead; it is good for a minute, and once")
    .action(({ print = false }: { print?: boolean }) => run((context) => open(context, print)));

async function open({ api: openApi, terminal, json }: Context, print: boolean): Promise<undefined> {
  const api = openApi();
  const { secret, session } = await api.beginSession("link", randomUUID());
  // behind the #: a browser sends that to no server, and no log of one has it
  const link = `${api.url.replace(/\/$/, "")}/signin#${secret}`;
  if (json) return void terminal.document({ link, until: session.until });
  if (print || !hasDisplay(process.platform, process.env)) {
    terminal.result(link);
    terminal.note("It is good for a minute, and for signing in once.");
    return undefined;
  }
  // loaded here: no other command needs it
  const { default: openBrowser } = await import("open");
  await openBrowser(link);
  terminal.result(`Opened ${api.url} in the browser.`);
  terminal.note("Nothing to be seen? Print the link:  shiplog open --print");
  return undefined;
}

/** Whether a browser can show itself here: not on a server, or over ssh. */
export const hasDisplay = (platform: string, environment: Readonly<Record<string, string | undefined>>): boolean => {
  const { DISPLAY, WAYLAND_DISPLAY, BROWSER, SSH_CONNECTION, WSL_DISTRO_NAME } = environment;
  if (BROWSER) return true;
  if (SSH_CONNECTION) return Boolean(DISPLAY);
  return platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY || WSL_DISTRO_NAME);
};
