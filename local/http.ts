import type { Readable } from "node:stream";

/**
 * One request to the local AWS endpoint, already read to its end.
 * Header names are lower-case; `path` is percent-encoded as it came, without the query.
 */
export type AwsRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};

export type AwsResponse = {
  readonly status: number;
  /** a list is as many headers of that name */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** a stream is sent as it is made */
  readonly body?: string | Buffer | Readable;
};

/** Answers one AWS service's requests. Throws `AwsError` for what AWS answers with an error. */
export type AwsService = (request: AwsRequest) => Promise<AwsResponse>;

/** An error that AWS itself would answer with: `code` as the service's model names it, `status` its HTTP status. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  constructor(code: string, status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** The account and region that every ARN of the local endpoint carries. */
export const ACCOUNT = "000000000000";
export const REGION = "eu-west-1";
