import { readFileSync } from "node:fs";
import { createContext, Script } from "node:vm";
import type { RouterRequest } from "./router-runtime.ts";

/** The source of the function that CloudFront runs on answers. */
export const answerSource = (): string => readFileSync(new URL("../../blueprint/edge-answer.js", import.meta.url), "utf8");

type Cookie = { readonly value: string; readonly attributes: string };
type Response = { readonly statusCode: number; readonly headers: object; readonly cookies?: Readonly<Record<string, Cookie>> };

/** Makes of that source what says which cookies an answer gets, as values of `set-cookie`. @param request as the router made it */
export const loadCookies = (source: string): ((request: RouterRequest, status: number) => readonly string[]) => {
  const world = createContext({}, { codeGeneration: { strings: false, wasm: false } });
  const handler = new Script(`${source}; handler`, { filename: "edge-answer.js" }).runInContext(world) as (event: object) => Response;
  return ({ headers }, statusCode) => {
    const { cookies = {} } = handler({ request: { headers }, response: { statusCode, headers: {} } });
    return Object.entries(cookies).map(([name, { value, attributes }]) => `${name}=${value}; ${attributes}`);
  };
};
