import type { GitCommit } from "../domain/deployment/shapes.ts";
import { plain } from "./terminal.ts";

/** `1234567 (main) with changes "Fix the header" by Ada` */
export const showCommit = ({ sha, branch, message, author, dirty }: GitCommit): string => {
  const words = [sha.slice(0, 7), branch && `(${branch})`, dirty && "with changes", message && `"${message}"`, author && `by ${author}`];
  return plain(words.filter(Boolean).join(" "));
};
