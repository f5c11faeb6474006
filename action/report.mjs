const TITLES = {
  success: "is live",
  failed: "failed",
  cancelled: "was cancelled",
  superseded: "was superseded by a newer deployment",
  held: "is built and held by a pin or a lock",
  error: "was not deployed",
};

/** Text of others as Markdown shows it as it is: nothing in it is a link, a mention or a cell's end. */
const code = (text) => {
  const line = String(text).replace(/\s+/g, " ").trim().slice(0, 500);
  const fence = "`".repeat(longestRun(line) + 1);
  const gap = /^`|`$/.test(line) ? " " : "";
  return line === "" ? "" : `${fence}${gap}${line.replace(/\|/g, "\\|")}${gap}${fence}`;
};
const longestRun = (text) => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
const block = (lines) => {
  const text = lines.join("\n");
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}text\n${text}\n${fence}`;
};
const link = (url) => (URL.canParse(url) && /^https?:/.test(url) ? `<${new URL(url).href}>` : code(url));
const release = (live) => (live ? `${code(live.deploymentId)} (#${Number(live.sequence)})` : "nothing");

/** What came of it, in Markdown: for the job's summary and the comment on a pull request. */
export function reportOf({ place }, run, { status, deployment, url, liveBefore, buildError, error }) {
  const rows = [
    ["deployment", deployment && `${code(deployment.id)} (#${Number(deployment.sequence)})`],
    ["address", url && link(url)],
    ["live before", deployment && release(liveBefore)],
    ["commit", run.sha && `${code(run.sha.slice(0, 7))}${run.branch ? ` of ${code(run.branch)}` : ""}`],
    ["took", deployment && duration(deployment)],
    ["failed step", status === "failed" && deployment?.step && code(deployment.step)],
    ["reason", deployment?.reason && code(deployment.reason)],
    ["error", error && code(error.message)],
    ["what to do", error?.next && code(error.next)],
    ["run", link(run.logUrl)],
  ];
  return [
    `### ${place} ${TITLES[status] ?? "goes on"}`,
    "",
    "| | |",
    "| --- | --- |",
    ...rows.flatMap(([name, value]) => (value ? [`| ${name} | ${value} |`] : [])),
    ...(buildError ? ["", "The build's error:", "", block(buildError.context)] : []),
  ].join("\n");
}

function duration({ queuedAt, endedAt }) {
  const seconds = Math.round(((endedAt ? Date.parse(endedAt) : Date.now()) - Date.parse(queuedAt)) / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
