import * as contract from "../contract.ts";
import type { Operation } from "./operation.ts";

const subscription = "/v1/subscriptions/:id";

export const subscriptions: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/subscriptions",
    id: "listSubscriptions",
    summary: "Receivers that are told the log from a place of their own, oldest first",
    answer: contract.ManySubscriptions,
  },
  {
    method: "post",
    path: "/v1/subscriptions",
    id: "addSubscription",
    summary: "Adds one; its signing secret is told now and never again",
    body: contract.AddSubscription,
    answer: contract.SubscriptionWithSecret,
    status: 201,
    command: true,
  },
  {
    method: "get",
    path: subscription,
    id: "getSubscription",
    summary: "One subscription with its place and its lag",
    answer: contract.OneSubscription,
    conflict: true,
  },
  {
    method: "post",
    path: `${subscription}/pause`,
    id: "pauseSubscription",
    summary: "Tells it nothing more until it is resumed; its place stays",
    body: contract.WithReason,
    answer: contract.OneSubscription,
    command: true,
  },
  {
    method: "post",
    path: `${subscription}/resume`,
    id: "resumeSubscription",
    summary: "Goes on from its place, and tries a receiver that fails at once",
    body: contract.WithReason,
    answer: contract.OneSubscription,
    command: true,
  },
  {
    method: "post",
    path: `${subscription}/reset`,
    id: "resetSubscription",
    summary: "Tells it the log from another place on",
    body: contract.ResetSubscription,
    answer: contract.OneSubscription,
    command: true,
  },
];
