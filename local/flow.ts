import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/**
 * Sends a body as it is made, no faster than it is read. A client that leaves ends the reading, and is no failure; a body
 * that breaks off ends the connection, so that nobody takes the part for the whole.
 *
 * @returns why the body broke off
 */
export const sendFlow = async (body: Readable, response: ServerResponse): Promise<Error | undefined> => {
  let isLeft = false;
  response.once("close", () => {
    isLeft = body.errored === null;
  });
  response.flushHeaders();
  try {
    await pipeline(body, response);
    return undefined;
  } catch (error) {
    return isLeft ? undefined : (error as Error);
  }
};
