/*
 * Names on an answer the release that the router chose, and gives a visitor the bucket that the router drew. CloudFront runs it
 * (viewer response, cloudfront-js-2.0) where a site declares `deploymentHeader`, and never for what an origin answered with
 * 400 or more: a release that fails keeps nobody. The local edge runs it for the cookie.
 */
function handler(event) {
  const headers = event.request.headers;
  const response = event.response;
  const chosen = headers['x-shiplog-deployment'];
  if (chosen) response.headers['x-shiplog-deployment'] = { value: chosen.value };
  const drawn = headers['x-shiplog-bucket'];
  if (drawn && response.statusCode < 400) {
    response.cookies = response.cookies || {};
    response.cookies.__shiplog = { value: drawn.value, attributes: 'Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax' };
  }
  return response;
}
