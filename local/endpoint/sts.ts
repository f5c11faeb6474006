import { ACCOUNT, AwsError, type AwsResponse } from "../http.ts";

/** The services of the query protocol (a form with `Action`): only STS's `GetCallerIdentity`. */
export const queryAction = (body: Buffer): string => new URLSearchParams(body.toString("utf8")).get("Action") ?? "";

export function answerQuery(action: string): AwsResponse {
  if (action !== "GetCallerIdentity") {
    throw new AwsError(
      "InvalidAction",
      400,
      `The local endpoint has no query-protocol action "${action}". SQS is spoken in JSON, as the AWS SDK for JavaScript v3 does.`,
    );
  }
  const identity = `<Arn>arn:aws:iam::${ACCOUNT}:root</Arn><UserId>${ACCOUNT}</UserId><Account>${ACCOUNT}</Account>`;
  const result = `<GetCallerIdentityResult>${identity}</GetCallerIdentityResult>`;
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</GetCallerIdentityResponse>`,
  };
}
