import { readdir, readFile, readlink } from "node:fs/promises";

/** Every address on which this process or one of its descendants listens, as the kernel has it: `0100007F` is 127.0.0.1. */
export const listeningAddresses = async (): Promise<string[]> => {
  const inodes = new Set<string>();
  for (const pid of await descendants(process.pid))
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")) ?? [];
      if (inode !== undefined) inodes.add(inode);
    }
  const addresses: string[] = [];
  for (const table of ["tcp", "tcp6"])
    for (const line of (await readFile(`/proc/net/${table}`, "utf8").catch(() => "")).split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state === LISTEN && inodes.has(inode)) addresses.push(local.split(":")[0] ?? "");
    }
  return addresses;
};
const LISTEN = "0A";

/** 127.0.0.1, ::1 and ::ffff:127.0.0.1, as the kernel writes them. */
export const LOOPBACK = ["0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"];

const descendants = async (root: number): Promise<number[]> => {
  const children = new Map<number, number[]>();
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0; ) {
    const pid = queue.shift() as number;
    found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
};
