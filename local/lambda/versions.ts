import * as z from "zod";
import { LATEST } from "./names.ts";
import { answer, checkRevision, input, type Operations, page, referenceOf } from "./operation.ts";
import { publish } from "./publish.ts";
import { refuseWhileChanging } from "./records.ts";
import { invalid } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { functionConfiguration } from "./views.ts";

const PublishInput = z.object({
  CodeSha256: z.string().optional(),
  Description: z.string().max(256).optional(),
  RevisionId: z.string().optional(),
});

/** Published versions: make and list. */
export const versionOperations = (registry: Registry): Operations => ({
  PublishVersion(call) {
    const { name } = referenceOf(call);
    const asked = input(PublishInput, call);
    const before = registry.get(name);
    refuseWhileChanging(before);
    checkRevision(asked.RevisionId, before.latest.revisionId);
    const { sha256 } = before.latest.code;
    if (asked.CodeSha256 && asked.CodeSha256 !== sha256) {
      throw invalid(
        `CodeSHA256 (${asked.CodeSha256}) is different from current CodeSHA256 in $LATEST (${sha256}). Please try again with the CodeSHA256 in $LATEST.`,
      );
    }
    const { record, version } = publish(before, asked.Description);
    if (record !== before) registry.put(record);
    return answer(201, functionConfiguration(record, version, version.version));
  },

  ListVersionsByFunction(call) {
    const { name } = referenceOf(call);
    const record = registry.get(name);
    const all = [record.latest, ...Object.values(record.versions)];
    const inOrder = (version: string) => (version === LATEST ? "0" : version.padStart(12, "0"));
    const { page: some, ...rest } = page(all, ({ version }) => inOrder(version), call);
    return answer(200, { Versions: some.map((snapshot) => functionConfiguration(record, snapshot, snapshot.version)), ...rest });
  },
});
