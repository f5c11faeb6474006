import type { Tags } from "../../../engine/aws/tags.ts";
import { awsError, call, type Service } from "../world/call.ts";
import { cloudHere } from "./clouds.ts";

const service: Service = { name: "tags", refusal: () => awsError("ProvisionedThroughputExceededException") };

/** Tables of tags, of which is known which releases have rows there. A published release has some at once. */
export const tagTables: Tags = {
  seed: async () => undefined,
  removeOf: (table, releases) => {
    const { tagged } = cloudHere();
    return call(service, "Scan", "plain", () => [...releases].filter((release) => tagged.delete(release)).length, table);
  },
};
