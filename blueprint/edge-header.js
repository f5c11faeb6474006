/*
 * Names on an answer the release that the router chose. CloudFront runs it (viewer response, cloudfront-js-2.0) where a site
 * declares `deploymentHeader`, and never for what an origin answered with 400 or more.
 */
function handler(event) {
  const chosen = event.request.headers['x-shiplog-deployment'];
  const response = event.response;
  if (chosen) response.headers['x-shiplog-deployment'] = { value: chosen.value };
  return response;
}
