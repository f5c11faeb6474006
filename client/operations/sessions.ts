import * as contract from "../contract.ts";
import type { Operation } from "./operation.ts";

export const sessions: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/caller",
    id: "whoAsks",
    summary: "Who asks, as the engine knows them, and whether they may change anything",
    answer: contract.WhoAsks,
  },
  {
    method: "get",
    path: "/v1/sessions",
    id: "listSessions",
    summary: "Sessions that go on, newest first",
    answer: contract.ManySessions,
  },
  {
    method: "post",
    path: "/v1/sessions",
    id: "beginSession",
    summary: "A session of the token that is shown; its secret is told now and never again",
    body: contract.BeginSession,
    answer: contract.SessionWithSecret,
    status: 201,
    command: true,
  },
  {
    method: "post",
    path: "/v1/sessions/:id/end",
    id: "endSession",
    summary: "Ends a session: it lets nobody in any more",
    body: contract.WithReason,
    answer: contract.OneSession,
    command: true,
  },
];
