import { existsSync, readdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";

/** What a link of a document becomes on the site: an address there, one elsewhere, or nothing but its words. */
export type SiteLink = { readonly href: string } | "words";

/** Documents that are pages of the site, beside those in `docs`. */
export const ROOT_PAGES = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];

/** Where a document is on the site. */
export const pageOf = (document: string): string =>
  document.startsWith("docs/") ? document.slice("docs/".length) : `project/${document.toLowerCase()}`;

const firstOf = (root: string, folder: string): string => posix.join(folder, readdirSync(join(root, folder)).sort()[0] ?? "");

/**
 * Links lead to files of the repository, so that they are right on GitHub; the site has the documents alone.
 *
 * @param root of the repository
 * @param document that the link is in, from the root
 * @param source address that files of the repository have elsewhere; without one their links are words
 * @throws where there is no such file
 */
export const siteLink = (root: string, document: string, href: string, source: string | undefined): SiteLink => {
  if (/^([a-z][a-z0-9+.-]*:|#|\/\/)/i.test(href)) return { href };
  const [path = "", anchor] = href.split("#");
  const file = posix.normalize(posix.join(posix.dirname(document), path)).replace(/\/$/, "");
  if (!existsSync(join(root, file))) throw new Error(`${document}: ${href} leads nowhere`);
  const place = anchor === undefined ? "" : `#${anchor}`;
  // a folder of documents is what GitHub lists; here the sidebar does, beside its first page
  const page = file.startsWith("docs/") && statSync(join(root, file)).isDirectory() ? firstOf(root, file) : file;
  if (ROOT_PAGES.includes(page) || (page.startsWith("docs/") && page.endsWith(".md"))) return { href: `/${pageOf(page)}${place}` };
  return source === undefined ? "words" : { href: `${source.replace(/\/$/, "")}/${file}${place}` };
};
