import { deploy } from "./cli.mjs";
import { openGithub } from "./github.mjs";
import { InputError, readInputs, readRun } from "./inputs.mjs";
import { reportOf } from "./report.mjs";
import { addSummary, annotate, command, setOutputs } from "./runner.mjs";

/** Deploys, and tells of it: in the job's log and summary, as outputs, and on GitHub where it was given a token for that. */
async function main(env) {
  const inputs = readInputs(env);
  const run = readRun(env);
  const github = inputs.githubToken === "" ? undefined : openGithub(inputs, run);
  if (inputs.githubToken !== "") command("add-mask", inputs.githubToken);

  await github?.begin();
  let begun;
  const { code, document } = await deploy(inputs, run, env, () => {
    begun = github?.goOn();
  });
  await begun;

  const result = { ...document, status: document.deployment?.status ?? "error" };
  if (result.deployment === undefined) result.error ??= { message: `The command ended with ${code} and said nothing.` };
  const report = reportOf(inputs, run, result);
  setOutputs(env.GITHUB_OUTPUT, { url: result.url ?? "", deployment: result.deployment?.id ?? "", status: result.status });
  addSummary(env.GITHUB_STEP_SUMMARY, report);
  tell(result, inputs, code);
  await github?.end(result);
  await github?.comment(report);
  return code;
}

function tell({ status, deployment, buildError, error }, inputs, code) {
  if (buildError) return annotate(buildError, inputs);
  if (error) return command("error", [error.message, error.next].filter(Boolean).join(" "), { title: "Shiplog" });
  if (code !== 0)
    command("error", `${inputs.place} is ${status}${deployment.reason ? `: ${deployment.reason}` : ""}`, { title: "Shiplog" });
}

try {
  process.exitCode = await main(process.env);
} catch (error) {
  command("error", error instanceof InputError ? error.message : (error.stack ?? String(error)), { title: "Shiplog" });
  process.exitCode = 2;
}
