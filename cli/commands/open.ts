import { randomUUID } from "node:crypto";
import { keptWhy } from "../../domain/projections/kept-release.ts";
import type { Api } from "../api.ts";
import type { Context, Register } from "../context.ts";
import { showDuration } from "../duration.ts";
import { environmentName, resolveEnvironment, whereabouts } from "../environment.ts";

/** The dashboard in a browser, signed in; or a site as visitors have it; or a deployment. */
export const openCommand: Register = (program, run) =>
  void program
    .command("open")
    .description("open in a browser: the dashboard, signed in; or a site; or a deployment in the dashboard")
    .argument("[what]", "<site>/<environment> or a site: what is live there; or a deployment; default: the dashboard")
    .option("--print", "print the link instead; of the dashboard it is good for a minute, and once")
    .action((what: string | undefined, { print = false }: { print?: boolean }) => run((context) => open(context, what, print)));

/** No name of a site has an underscore or begins with a digit. */
const DEPLOYMENT = /^(dep_|\d)/i;

const open = (context: Context, what: string | undefined, print: boolean): Promise<undefined> => {
  if (what === undefined) return openDashboard(context, print);
  return DEPLOYMENT.test(what) ? openDeployment(context, what, print) : openSite(context, what, print);
};

async function openDashboard(context: Context, print: boolean): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  const { link, until } = await signIn(api, "/");
  if (json) return void terminal.document({ link, until });
  if (await shows(context, link, print, api.url)) return void terminal.note("Nothing to be seen? Print the link:  shiplog open --print");
  terminal.note("It is good for a minute, and for signing in once.");
  return undefined;
}

async function openSite(context: Context, place: string, print: boolean): Promise<undefined> {
  const { terminal, json } = context;
  const environment = await resolveEnvironment(context.api(), whereabouts(place, {}));
  const { url, live } = environment;
  if (json) return void terminal.document({ link: url, live: live?.deploymentId ?? null });
  await shows(context, url, print, url);
  if (live === null) terminal.note(`Nothing is live there yet. Deploy:  shiplog deploy <dir> --env ${environment.environment}`);
  return undefined;
}

/** A page is always of what is live, so that a release that is not has no page to open: what is shown is what is known of it. */
async function openDeployment(context: Context, given: string, print: boolean): Promise<undefined> {
  const { terminal, json } = context;
  const api = context.api();
  const { deployment } = await api.deployment(given);
  const { id } = deployment;
  const environment = await api.environment(deployment.site, deployment.environment);
  const route = environment.routes.find(({ deploymentId }) => deploymentId === id);
  const now = Date.now();
  const kept = route === undefined ? undefined : keptWhy(route, new Date(now).toISOString());
  const isReached = kept === "live" || kept === "window";
  const reach = route !== undefined && isReached ? `curl -H 'x-deployment-id: ${route.release}' ${environment.url}` : null;
  const { link, until } = await signIn(api, `/deployments/${id}`);
  if (json) return void terminal.document({ link, until, kept: kept ?? null, reach });
  if (!(await shows(context, link, print, `${api.url}/deployments/${id}`)))
    terminal.note("It is good for a minute, and for signing in once.");
  if (reach === null)
    return void terminal.note(`Nobody is sent to it. To bring it live again, where it was live before:  shiplog rollback ${id}`);
  if (kept === "live") return void terminal.note(`It is live. Its site:  shiplog open ${environmentName(environment)}`);
  const over = Date.parse(route?.until ?? "") - now;
  terminal.note(`A browser is shown what is live. This release, for ${showDuration(over)} more, as pages of it reach it:\n  ${reach}`);
  return undefined;
}

/** A link that signs in. @param to where it leads then, a path of the dashboard */
async function signIn(api: Api, to: string): Promise<{ readonly link: string; readonly until: string }> {
  const { secret, session } = await api.beginSession("link", randomUUID());
  const query = to === "/" ? "" : `?to=${encodeURIComponent(to)}`;
  // behind the #: a browser sends that to no server, and no log of one has it
  return { link: `${api.url.replace(/\/$/, "")}/signin${query}#${secret}`, until: session.until };
}

/** Opens it, or prints it where that is asked for or nothing can be opened. Returns whether a browser was asked. */
async function shows({ terminal }: Context, link: string, print: boolean, name: string): Promise<boolean> {
  if (print || !hasDisplay(process.platform, process.env)) {
    terminal.result(link);
    return false;
  }
  // loaded here: no other command needs it
  const { default: openBrowser } = await import("open");
  await openBrowser(link);
  terminal.result(`Opened ${name} in the browser.`);
  return true;
}

/** Whether a browser can show itself here: not on a server, or over ssh. */
export const hasDisplay = (platform: string, environment: Readonly<Record<string, string | undefined>>): boolean => {
  const { DISPLAY, WAYLAND_DISPLAY, BROWSER, SSH_CONNECTION, WSL_DISTRO_NAME } = environment;
  if (BROWSER) return true;
  if (SSH_CONNECTION) return Boolean(DISPLAY);
  return platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY || WSL_DISTRO_NAME);
};
