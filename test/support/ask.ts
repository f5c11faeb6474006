import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";

export type Asked = { status: number; headers: IncomingHttpHeaders; body: Buffer; text: string };

/**
 * Sends one HTTP request exactly as written: unlike `fetch`, it leaves the path and the headers alone.
 * `ca` is the certificate that an https server is trusted by.
 */
export function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: Buffer | string; ca?: string } = {},
): Promise<Asked> {
  const { method = "GET", headers = {}, body, ca } = options;
  const { protocol, hostname, port } = new URL(url);
  const send = protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((answered, failed) => {
    const request = send({ hostname, port, path, method, headers, agent: false, ...(ca ? { ca } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", failed);
      response.on("end", () => {
        const whole = Buffer.concat(chunks);
        answered({ status: response.statusCode ?? 0, headers: response.headers, body: whole, text: whole.toString("utf8") });
      });
    });
    request.on("error", failed);
    request.end(body);
  });
}
