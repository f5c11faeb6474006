/** A code that the API refuses with: `{"error": {"code", "message"}}`. Programs rely on the code, people read the message. */
export type Refusal = {
  readonly code: string;
  readonly status: number /** what is so; one clause, without its stop */;
  readonly when: string;
};

const refusal = (status: number, code: string, when: string): Refusal => ({ status, code, when });

/** Every code that the API refuses with. A test holds them against the code that refuses; docs/troubleshooting.md says what to do. */
export const refusals: readonly Refusal[] = [
  refusal(400, "body.invalid", "the body is no JSON, or not what the operation takes; the message names the field"),
  refusal(400, "query.invalid", "a parameter of the query is not what the operation takes"),
  refusal(400, "key.invalid", "the Idempotency-Key is not 1 to 200 characters without spaces"),
  refusal(400, "url.refused", "the URL of a webhook cannot be used: its form, or an address that is not public"),
  refusal(401, "token.unknown", "no token was sent, or one that the engine does not know"),
  refusal(401, "github.token", "a token of GitHub Actions is not accepted, and why"),
  refusal(403, "origin.refused", "a web page asked"),
  refusal(403, "host.unknown", "the request is for another host than this engine"),
  refusal(403, "variables.closed", "the environment does not name this token in `valuesReadableBy`"),
  refusal(403, "github.rule", "no rule of the sites file fits this run of GitHub Actions, and what to add"),
  refusal(403, "github.rights", "no run of GitHub Actions may do this"),
  refusal(404, "site.unknown", "there is no such site"),
  refusal(404, "environment.unknown", "there is no such environment"),
  refusal(404, "deployment.unknown", "there is no such deployment, or there was none at that time"),
  refusal(404, "webhook.unknown", "there is no such endpoint"),
  refusal(404, "delivery.unknown", "nothing was sent to the endpoint under this id"),
  refusal(404, "variable.unknown", "there is no such variable in the environment"),
  refusal(404, "route.unknown", "the API has no such route"),
  refusal(409, "rollback.nothing", "there is nothing to go back to"),
  refusal(409, "rollback.changed", "something else is live by now than `from` says"),
  refusal(409, "release.never-live", "only what was live in the environment can be gone back to"),
  refusal(409, "environment.locked", "somebody else has locked the environment"),
  refusal(409, "lock.expired", "the lock would end before it begins"),
  refusal(409, "deployment.cancelling", "it is being cancelled already"),
  refusal(409, "deployment.ended", "it has ended already"),
  refusal(409, "deployment.flipping", "it is going live at this moment"),
  refusal(409, "deployment.running", "it has not ended, so it cannot be tried again"),
  refusal(409, "deployment.succeeded", "it succeeded, so it is not tried again"),
  refusal(409, "variable.undeclared", "the sites file declares no such variable for the site"),
  refusal(409, "variable.needed", "no build works without this variable"),
  refusal(409, "variables.large", "with what the engine adds, servers would be given more than the 4 KB that Lambda takes"),
  refusal(409, "variables.damaged", "the environment's secret is no flat JSON object of strings"),
  refusal(409, "variables.missing", "the environment's secret is not there"),
  refusal(409, "source.missing", "the source was never uploaded, or is gone"),
  refusal(409, "id.ambiguous", "several ids begin like this; `candidates` has them"),
  refusal(409, "dead-letters.emptying", "they were asked to go less than a minute ago"),
  refusal(409, "webhook.removed", "the endpoint was removed"),
  refusal(409, "webhook.no-secret", "an endpoint of Slack signs nothing, so it has no secret to change"),
  refusal(409, "webhook.secret-gone", "the endpoint's secret is gone"),
  refusal(409, "seal.key-changed", "another key than that of the last seal would sign; nothing was sealed"),
  refusal(409, "chain.broken", "a stream is not as it was written; it was left out, and the rest sealed"),
  refusal(413, "body.large", "the body is longer than a request may be"),
  refusal(422, "key.reused", "the Idempotency-Key came before with another path, body or actor"),
  refusal(500, "fault", "something broke on the engine's side; its log has it under the number in the message"),
  refusal(500, "stream.broken", "the log was changed behind Shiplog's back, and where"),
  refusal(500, "seal.broken", "sealed history was changed behind Shiplog's back, and where"),
  refusal(503, "clock.wrong", "the engine's clock is more than five minutes from the store's; nothing was written"),
  refusal(503, "github.unreachable", "GitHub's keys cannot be had, so its tokens cannot be checked"),
  refusal(507, "store.full", "the disk is full; nothing was written, and the engine goes on"),
];
