import * as contract from "../contract.ts";
import type { Operation } from "./operation.ts";

const letter = "/v1/dead-letters/:letter";

export const deadLetters: readonly Operation[] = [
  {
    method: "get",
    path: letter,
    id: "getDeadLetter",
    summary: "One dead letter, by its id or a unique beginning of it",
    answer: contract.OneDeadLetter,
    conflict: true,
  },
  {
    method: "post",
    path: `${letter}/redrive`,
    id: "redriveDeadLetter",
    summary: "Sends it to its consumer once more, and removes it",
    body: contract.WithReason,
    answer: contract.DecidedLetter,
    command: true,
  },
  {
    method: "post",
    path: `${letter}/drop`,
    id: "dropDeadLetter",
    summary: "Throws it away, and keeps why",
    body: contract.DropLetter,
    answer: contract.DecidedLetter,
    command: true,
  },
];
