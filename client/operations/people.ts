import * as contract from "../contract.ts";
import type { Operation } from "./operation.ts";

export const people: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/people",
    id: "listPeople",
    summary: "People whose pseudonyms the log has, by name",
    answer: contract.ManyPeople,
  },
  {
    method: "post",
    path: "/v1/people/:id/forget",
    id: "forgetPerson",
    summary: "Erases a person's name; the log keeps their pseudonym",
    body: contract.WithReason,
    answer: contract.PersonGone,
    command: true,
  },
];
