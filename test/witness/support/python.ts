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

const SAYS_VERSION = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))";

/** Why a Python package can't be asked on this machine, as old ones know too little of AWS; `undefined` where it can. */
export const pythonMissing = async (name: string, atLeast: string): Promise<string | undefined> => {
  const child = spawn("python3", ["-c", SAYS_VERSION, name], { stdio: ["ignore", "pipe", "ignore"] });
  const [version, code] = await Promise.all([
    text(child.stdout),
    once(child, "close").then(
      ([code]) => code as number,
      () => undefined,
    ),
  ]);
  if (code === undefined) return "python3 is not installed";
  if (code !== 0) return `python3 has no ${name}: pip install ${name}`;
  const old = version.trim().localeCompare(atLeast, "en", { numeric: true }) < 0;
  return old ? `python3 has ${name} ${version.trim()}, and ${atLeast} is needed: pip install -U ${name}` : undefined;
};

/** botocore with models of all that is used here. */
export const botocoreMissing = (): Promise<string | undefined> => pythonMissing("botocore", "1.43.0");
