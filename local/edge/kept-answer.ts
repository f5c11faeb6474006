import type { Answer } from "./answer.ts";
import type { WholeReply } from "./answer-cache.ts";
import { fileAnswer, isUnchanged } from "./file-answer.ts";

/** Makes the answer of one that was kept: the part that was asked for, 304 for who has it, and files compressed to who takes it. */
export const keptAnswer = async ({ answer, isFile }: WholeReply, asked: Readonly<Record<string, string>>): Promise<Answer> => {
  const named = Object.fromEntries(answer.headers);
  if (answer.status !== 200) return isFile ? fileAnswer({ ...answer, headers: named }, asked) : answer;
  if (!isFile && isUnchanged(named, asked)) return { status: 304, headers: withoutBody(answer.headers), body: Buffer.alloc(0) };
  const part = isFile && isUnchanged(named, asked) ? answer : partOf(answer, asked.range);
  return isFile ? fileAnswer({ ...part, headers: Object.fromEntries(part.headers) }, asked) : part;
};

const withoutBody = (headers: Answer["headers"]): Answer["headers"] =>
  headers.filter(([name]) => !/^content-|^accept-ranges$/.test(name) || name === "content-location");

/** One range of bytes (`0-9`, `5-`, `-5`); the whole where it asks for several or for none. */
const partOf = (answer: WholeReply["answer"], range = ""): WholeReply["answer"] => {
  const size = answer.body.length;
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (first === "" && last === "") return answer;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (from > to) return { status: 416, headers: [["content-range", `bytes */${size}`]], body: Buffer.alloc(0) };
  const headers = [...answer.headers, ["content-range", `bytes ${from}-${to}/${size}`] as const];
  return { status: 206, headers, body: answer.body.subarray(from, to + 1) };
};
