import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { pythonMissing } from "../../witness/support/python.ts";
import type { Template } from "./cloudformation.ts";

const run = promisify(execFile);
const MAX_OUTPUT = 64 * 1024 * 1024;
/** Its command, of the Python that has it: the program may be in no folder of PATH. */
const MAIN = "from cfnlint.runner import main; main()";

/** Why cfn-lint can't be asked on this machine; `undefined` where it can. */
export const cfnLintMissing = (): Promise<string | undefined> => pythonMissing("cfn-lint", "1.51.0");

type Match = {
  readonly Level: string;
  readonly Message: string;
  readonly Rule: { readonly Id: string };
  readonly Location: { readonly Path: readonly string[] };
};

/** What cfn-lint finds in a template, a sentence each: whose it is, the rule and what it says. */
export const lint = async (template: Template): Promise<string[]> => {
  const folder = await mkdtemp(join(tmpdir(), "shiplog-cloudformation-"));
  try {
    const file = join(folder, "template.json");
    await writeFile(file, JSON.stringify({ AWSTemplateFormatVersion: "2010-09-09", ...template }));
    const asked = run("python3", ["-c", MAIN, "--regions", "eu-west-1", "--format", "json", "--", file], { maxBuffer: MAX_OUTPUT });
    // it ends with another code for every kind of finding
    const { stdout } = await asked.catch((error: { stdout: string; stderr: string }) => {
      if (!error.stdout.trim().startsWith("[")) throw new Error(`cfn-lint failed: ${error.stderr}`);
      return error;
    });
    return (JSON.parse(stdout || "[]") as Match[]).map(
      ({ Rule, Message, Location }) => `${Location.Path.slice(1).join(".")}: ${Rule.Id} ${Message}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
