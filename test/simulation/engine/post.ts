import type { Post, Posted } from "../../../engine/webhooks/post.ts";
import { call, type Service } from "../world/call.ts";
import { virtualClock } from "../world/clock.ts";
import { cloudHere } from "./clouds.ts";

const internet: Service = { name: "internet", refusal: () => new Error("the network is away") };
const answered = (status: number, more: Partial<Posted> = {}): Posted => ({ status, fault: null, retryAfter: null, answer: "", ...more });
const failed = (fault: string): Posted => ({ status: null, fault, retryAfter: null, answer: null });

const HUNG = failed("no complete answer within 20 seconds");

/** Somebody else's server, with its moods. It remembers which deliveries it got. */
export const post: Post = async (_url, headers, body) => {
  const { world, received } = cloudHere();
  const { faults } = world;
  const posted = await call(internet, "POST", "plain", () => {
    if (faults.strikes("webhook-hang")) return HUNG;
    if (faults.strikes("webhook-reset")) return failed("it closed the connection before it answered");
    if (faults.strikes("webhook-redirect")) return answered(302);
    if (faults.strikes("webhook-429")) return answered(429, { retryAfter: "30" });
    if (faults.strikes("webhook-410")) return answered(410);
    received(headers["webhook-id"] ?? "", body);
    return answered(200);
  }).catch(() => failed("the request failed"));
  if (posted === HUNG) await virtualClock.sleep(20_000);
  return posted;
};
