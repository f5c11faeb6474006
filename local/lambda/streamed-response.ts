/** The content type that marks a streamed HTTP response: prelude, eight zero bytes, body. */
export const STREAMED = "application/vnd.awslambda.http-integration-response";

const SEPARATOR = Buffer.alloc(8);

/** Turns the framing of a streamed response into the ordinary result: `{statusCode, headers, cookies, body, isBase64Encoded}`. */
export const ordinaryResult = (streamed: Buffer): Buffer => {
  const end = streamed.indexOf(SEPARATOR);
  if (end < 0) return streamed;
  const prelude = JSON.parse(streamed.subarray(0, end).toString("utf8")) as { statusCode?: number };
  const body = streamed.subarray(end + SEPARATOR.length);
  return Buffer.from(JSON.stringify({ statusCode: 200, ...prelude, body: body.toString("base64"), isBase64Encoded: true }));
};
