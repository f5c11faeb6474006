import { AsyncLocalStorage } from "node:async_hooks";
import { createHash, randomBytes } from "node:crypto";
import type { SQSClient } from "@aws-sdk/client-sqs";

/** Lambda stops what led to the same function so often. */
export const MAX_INVOCATIONS = 16;
/** How often each function was invoked in the chain of what is handled now; functions by the digest that the header has. */
type Lineage = Readonly<Record<string, number>>;

const running = new AsyncLocalStorage<Lineage>();

const digestOf = (fn: string): string => createHash("sha256").update(fn).digest("hex").slice(0, 8);

/** `Lineage=1:a87bd80c:15|68fd508a:2` of an X-Ray header, as the SDK hands it on. */
const read = (header: string | undefined): Lineage => {
  const [, chain = ""] = /(?:^|;)Lineage=1:([^;]*)/.exec(header ?? "") ?? [];
  return Object.fromEntries(
    chain.split("|").flatMap((part) => {
      const [digest = "", count] = part.split(":");
      return digest === "" ? [] : [[digest, Number(count)]];
    }),
  );
};

const written = (lineage: Lineage): string => {
  const id = randomBytes(16).toString("hex");
  const chain = Object.entries(lineage)
    .map(([digest, count]) => `${digest}:${count}`)
    .join("|");
  return `Root=1-${id.slice(0, 8)}-${id.slice(8)};Parent=${id.slice(0, 16)};Sampled=0;Lineage=1:${chain}`;
};

/** How often a function was invoked in the chain that led to a message with this header. */
export const invocationsIn = (header: string | undefined, fn: string): number => read(header)[digestOf(fn)] ?? 0;

/** Runs a function's code as an invocation with the messages that have these headers: what it sends is of their chain. */
export const asInvocation = <T>(fn: string, headers: readonly (string | undefined)[], run: () => T): T => {
  const lineage: Record<string, number> = {};
  for (const header of headers)
    for (const [digest, count] of Object.entries(read(header))) lineage[digest] = Math.max(lineage[digest] ?? 0, count);
  lineage[digestOf(fn)] = (lineage[digestOf(fn)] ?? 0) + 1;
  return running.run(lineage, run);
};

/** Hands the chain on with each request, as the SDK does inside of Lambda: there each function is a process of its own. */
export const handOn = ({ middlewareStack }: SQSClient): void =>
  middlewareStack.add(
    (next) => (args) => {
      const lineage = running.getStore();
      const { headers } = args.request as { headers: Record<string, string> };
      if (lineage !== undefined) headers["x-amzn-trace-id"] = written(lineage);
      return next(args);
    },
    { step: "build", name: "lineage", override: true },
  );
