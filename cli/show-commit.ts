import type { GitCommit } from "../domain/deployment/shapes.ts";
import { firstOf } from "../domain/kernel/text.ts";
import { plain } from "./terminal.ts";

/** `1234567 (main) with changes "Fix the header" by Ada` */
export const showCommit = ({ sha, branch, message, author, dirty }: GitCommit): string => {
  const words = [sha.slice(0, 7), branch && `(${branch})`, dirty && "with changes", message && `"${message}"`, author && `by ${author}`];
  return plain(words.filter(Boolean).join(" "));
};

/** `1234567 +changes Fix the header`, for a cell of a table; `-` where none is known. */
export const commitCell = (commit: GitCommit | null): string => {
  if (commit === null) return "-";
  const [subject = ""] = (commit.message ?? "").split("\n");
  return plain([commit.sha.slice(0, 7), commit.dirty ? "+changes" : "", firstOf(subject, 60)].filter(Boolean).join(" "));
};
