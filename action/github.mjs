import { command } from "./runner.mjs";

const TIMEOUT_MS = 15_000;
const STATES = { success: "success", failed: "failure", error: "error", cancelled: "inactive", superseded: "inactive", held: "queued" };
/** Of a status' description, GitHub's own limit. */
const MAX_DESCRIPTION = 140;
const MAX_PAGES = 10;

/**
 * Shows a deployment on GitHub. It is shown, no more: where GitHub says no, that is a warning, and the deployment goes
 * its way.
 */
export function openGithub({ githubToken, place, environment }, run) {
  const ask = async (method, path, body) => {
    const answer = await fetch(`${run.api}/repos/${run.repository}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${githubToken}`,
        accept: "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        "user-agent": "shiplog-deploy",
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path.split("?")[0]} was answered ${answer.status}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const shown = async (what, permission, work) => {
    try {
      return await work();
    } catch (error) {
      command(
        "warning",
        `${what} could not be shown on GitHub: ${error.message}. Has the job \`permissions: ${permission}: write\`? The deployment itself goes on.`,
      );
      return undefined;
    }
  };
  const setState = (id, state, more = {}) =>
    ask("POST", `deployments/${id}/statuses`, { state, log_url: run.logUrl, auto_inactive: false, ...more });

  /** The one before is live no more: GitHub marks it by itself for some environments alone. */
  const endOthers = async (id) => {
    const before = await ask("GET", `deployments?environment=${encodeURIComponent(place)}&per_page=20`);
    for (const other of before.filter((one) => one.id !== id && one.payload?.shiplog === place)) {
      const [last] = await ask("GET", `deployments/${other.id}/statuses?per_page=1`);
      if (last?.state === "success") await setState(other.id, "inactive");
    }
  };

  let id;
  return {
    begin: () =>
      shown("The deployment", "deployments", async () => {
        ({ id } = await ask("POST", "deployments", {
          ref: run.sha,
          environment: place,
          description: `Shiplog ${place}`,
          payload: { shiplog: place },
          auto_merge: false,
          required_contexts: [],
          transient_environment: run.pullRequest !== undefined,
          production_environment: environment === "production",
        }));
        await setState(id, "queued");
      }),
    goOn: () => id && shown("The deployment", "deployments", () => setState(id, "in_progress")),
    end: ({ status, url, deployment, buildError, error }) =>
      id &&
      shown("The deployment's end", "deployments", async () => {
        const said = buildError?.summary ?? deployment?.reason ?? error?.message ?? deployment?.id ?? "";
        const description = [...said.replace(/\s+/g, " ")].slice(0, MAX_DESCRIPTION).join("");
        await setState(id, STATES[status] ?? "in_progress", { description, ...(url && { environment_url: url }) });
        if (status === "success") await endOthers(id);
      }),
    /** One comment for each environment on a pull request, edited in place. */
    comment: (report) =>
      run.pullRequest !== undefined &&
      shown("The comment", "pull-requests", async () => {
        const marker = `<!-- shiplog: ${place} -->`;
        const body = `${marker}\n${report}`;
        for (let page = 1; page <= MAX_PAGES; page++) {
          const comments = await ask("GET", `issues/${run.pullRequest}/comments?per_page=100&page=${page}`);
          const own = comments.find((one) => one.body?.startsWith(marker) && one.user?.type === "Bot");
          if (own) return ask("PATCH", `issues/comments/${own.id}`, { body });
          if (comments.length < 100) break;
        }
        return ask("POST", `issues/${run.pullRequest}/comments`, { body });
      }),
  };
}
