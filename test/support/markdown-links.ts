import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import GithubSlugger from "github-slugger";

/** A link of a document, and where it stands. */
export type Link = { readonly line: number; readonly target: string };

const blank = (text: string): string => text.replace(/[^\n]/g, " ");
/** Without what only looks like Markdown: blocks and pieces of code, and comments. Lines stay where they are. */
const prose = (text: string): string =>
  text
    .replace(/^( *)(```|~~~)[\s\S]*?^ *\2/gm, blank)
    .replace(/<!--[\s\S]*?-->/g, blank)
    .replace(/(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, blank);

const INLINE = /!?\[(?:[^[\]]|\[[^\]]*\])*\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const REFERENCE = /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/gm;
const HTML = /<(?:a|img)\b[^>]*\s(?:href|src)="([^"]+)"/g;

/** The targets of all links and pictures of a document. */
export const linksIn = (markdown: string): Link[] => {
  const text = prose(markdown);
  return [INLINE, REFERENCE, HTML].flatMap((form) =>
    [...text.matchAll(form)].map(({ 1: target = "", index }) => ({ line: text.slice(0, index).split("\n").length, target })),
  );
};

/** Text of a heading as a reader sees it: links by their words, code without its marks. */
const shown = (heading: string): string =>
  heading
    .replace(/\s+#+\s*$/, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/`+/g, "");

/** What links can lead to in a document: its headings as GitHub names them, and what has an id or a name. */
export const anchorsIn = (markdown: string): ReadonlySet<string> => {
  const slugger = new GithubSlugger();
  const fenceless = markdown.replace(/^( *)(```|~~~)[\s\S]*?^ *\2/gm, blank);
  const headings = [...fenceless.matchAll(/^ {0,3}#{1,6}\s+(.+)$/gm)].map(([, heading = ""]) => slugger.slug(shown(heading)));
  const named = [...fenceless.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)].map(([, name = ""]) => name);
  return new Set([...headings, ...named]);
};

/** Why a link of a document leads nowhere; `undefined` where it leads somewhere, or out of the repository. */
export const faultOf = (root: string, document: string, target: string): string | undefined => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = decodeURI(target).split("#");
  const file = path === "" ? join(root, document) : resolve(root, dirname(document), path);
  if (path.startsWith("/") || relative(root, file).startsWith("..")) return "leads out of the repository";
  if (!existsSync(file)) return "there is no such file";
  if (anchor === undefined || !file.endsWith(".md")) return undefined;
  if (statSync(file).isDirectory()) return "a folder has no headings";
  return anchorsIn(readFileSync(file, "utf8")).has(anchor) ? undefined : "there is no such heading";
};
