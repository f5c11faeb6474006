/** Why an archive, or one entry of it, is not taken. */
export type ArchiveRefusal =
  | "unsafe-name"
  | "duplicate-name"
  | "link-leaves-folder"
  | "link-loop"
  | "writes-through-link"
  | "special-file"
  | "encrypted"
  | "too-many-files"
  | "too-large"
  | "ratio"
  | "not-empty"
  | "empty"
  | "unreadable"
  | "corrupt";

/** An archive that is not written or not unpacked, for a reason a person can act on. `entry` is absent when the whole archive is meant. */
export class ArchiveRefused extends Error {
  override readonly name = "ArchiveRefused";
  readonly reason: ArchiveRefusal;
  readonly entry: string | undefined;
  constructor(reason: ArchiveRefusal, entry: string | undefined, message: string, options?: ErrorOptions) {
    super(entry === undefined ? message : `${JSON.stringify(entry)}: ${message}`, options);
    this.reason = reason;
    this.entry = entry;
  }
}

/** Refuses every name that is not a plain relative POSIX path ("a/b.txt"; a folder's final "/" is cut off before). */
export const checkName = (name: string): void => {
  const refuse = (what: string): never => {
    throw new ArchiveRefused("unsafe-name", name, `${what}; names in an archive must be plain relative paths`);
  };
  if (name === "") refuse("the name is empty");
  if (name.includes("\0")) refuse("the name contains a NUL byte");
  if (name.includes("\\")) refuse("the name contains a backslash");
  if (name.startsWith("/")) refuse("the name is an absolute path");
  if (/^[A-Za-z]:/.test(name)) refuse("the name starts with a drive letter");
  for (const segment of name.split("/")) {
    if (segment === "..") refuse("the name climbs out with '..'");
    if (segment === "" || segment === ".") refuse("the name has an empty or '.' segment");
  }
};

/**
 * Refuses links that lead out of the folder, also by way of other links of the same archive, and links that go in circles.
 * `links`: path of the link → its target as written. Decided from the names alone, so it holds before anything is on disk.
 */
export const checkLinks = (links: ReadonlyMap<string, string>): void => {
  for (const [link, target] of links) {
    const leaves = () =>
      new ArchiveRefused("link-leaves-folder", link, `the symbolic link points out of the folder (to ${JSON.stringify(target)})`);
    if (target === "" || target.includes("\0")) throw new ArchiveRefused("corrupt", link, "the symbolic link has no usable target");
    let at = parent(link);
    let pending = [...segments(target, leaves)];
    for (let hops = 0; pending.length > 0; ) {
      const segment = pending.shift() as string;
      if (segment === "..") {
        if (at === "") throw leaves();
        at = parent(at);
        continue;
      }
      const next = at === "" ? segment : `${at}/${segment}`;
      const further = links.get(next);
      if (further === undefined) {
        at = next;
        continue;
      }
      hops += 1;
      if (hops > MAX_HOPS) throw new ArchiveRefused("link-loop", link, "the symbolic link goes in circles; remove it");
      pending = [...segments(further, leaves), ...pending];
    }
  }
};

/** A package manager's link to a program of a package. */
export const isProgramLink = (path: string): boolean => /(^|\/)node_modules\/\.bin\/[^/]+$/.test(path);

/**
 * Without the links to programs that lead out of the folder: tools make them absolute where they copy packages, nothing
 * that was built runs them, and a build is not lost for them.
 */
export const withoutStrayPrograms = (links: ReadonlyMap<string, string>): Map<string, string> =>
  new Map([...links].filter(([path, target]) => !isProgramLink(path) || staysInside(path, target)));

const staysInside = (link: string, target: string): boolean => {
  try {
    checkLinks(new Map([[link, target]]));
    return true;
  } catch (error) {
    if (error instanceof ArchiveRefused) return false;
    throw error;
  }
};

/** The kernel's own limit: more links than this in one path is ELOOP. */
const MAX_HOPS = 40;

const parent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

const segments = (target: string, leaves: () => Error): string[] => {
  if (/^[/\\]|^[A-Za-z]:/.test(target)) throw leaves();
  return target.split("/").filter((segment) => segment !== "" && segment !== ".");
};
