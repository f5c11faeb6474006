import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** Runs a program of this folder with what it reads, and gives what it wrote, which is JSON. Nothing of it is on a disk. */
export const runPython = async <T>(program: string, args: readonly string[], input: string): Promise<T> => {
  const child = spawn("python3", [join(import.meta.dirname, program), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    // it leaves no compiled copies beside its programs
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  child.stdin.on("error", () => undefined); // it ended before it read everything: its code says so
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${errors}`);
  return JSON.parse(output) as T;
};

/** Why a Python package can't be asked on this machine; `undefined` where it can. */
export const pythonMissing = async (name: string): Promise<string | undefined> => {
  const child = spawn("python3", ["-c", `import ${name}`], { stdio: "ignore" });
  const code = await Promise.race([once(child, "exit").then(([code]) => code as number), once(child, "error").then(() => undefined)]);
  if (code === undefined) return "python3 is not installed";
  return code === 0 ? undefined : `python3 has no ${name}: pip install ${name}`;
};
