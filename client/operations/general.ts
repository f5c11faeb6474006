import * as z from "zod";
import * as contract from "../contract.ts";
import type { Operation } from "./operation.ts";

export const general: readonly Operation[] = [
  { method: "get", path: "/v1/health", id: "health", summary: "Whether the API answers", answer: contract.Health, open: true },
  {
    method: "get",
    path: "/v1/openapi.json",
    id: "openapi",
    summary: "This document",
    answer: z.looseObject({ openapi: z.string() }),
    open: true,
  },
  {
    method: "post",
    path: "/v1/sources",
    id: "prepareSource",
    summary: "Where to put a source; nowhere (null) where the same is there already",
    body: contract.PrepareSource,
    answer: contract.PreparedSource,
  },
  {
    method: "get",
    path: "/v1/events",
    id: "listEvents",
    summary: "The whole log in its order; to follow it ask again with since=next, and drop ids that were seen",
    query: contract.ListEvents,
    answer: contract.LogEvents,
  },
  {
    method: "get",
    path: "/v1/audit",
    id: "audit",
    summary: "The trail in the log's order; ask again with cursor=next until it is null",
    query: contract.ListAudit,
    answer: contract.AuditPage,
  },
  {
    method: "get",
    path: "/v1/seals",
    id: "listSeals",
    summary: "A page of the seals, with an address for each segment that is good for fifteen minutes, and what is in no seal",
    query: contract.ListSeals,
    answer: contract.Seals,
  },
  {
    method: "post",
    path: "/v1/seals",
    id: "seal",
    summary: "Seals what is in no seal yet; null where there was nothing",
    answer: contract.Sealed,
    conflict: true,
  },
  {
    method: "get",
    path: "/v1/dead-letters",
    id: "listDeadLetters",
    summary: "What no consumer could take, with the reason, and what no site's revalidation could confirm",
    answer: contract.DeadLetters,
  },
  {
    method: "post",
    path: "/v1/dead-letters/empty",
    id: "emptyDeadLetters",
    summary: "Forgets the pages that a site could not confirm; about how many",
    body: contract.EmptyDeadLetters,
    answer: contract.DeadLettersEmptied,
    conflict: true,
  },
];
