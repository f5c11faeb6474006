import { randomUUID } from "node:crypto";
import * as z from "zod";
import { AwsError } from "../http.ts";
import type { CodeStore } from "./code-store.ts";
import { configured, Settings } from "./configuration.ts";
import { functionReference, isVersionNumber, LATEST } from "./names.ts";
import { answer, checkRevision, input, type Operations, page, referenceOf } from "./operation.ts";
import { publish } from "./publish.ts";
import { aliasesOn, type Code, type FunctionRecord, refuseWhileChanging, type Snapshot, snapshotAt, versionOf } from "./records.ts";
import { conflict, invalid } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { functionConfiguration } from "./views.ts";

/** Bytes of a whole request that carries a zip; larger bundles go through S3. */
const REQUEST_LIMIT = 70_167_211;

const CodeSource = z.object({
  ZipFile: z.base64().optional(),
  S3Bucket: z.string().optional(),
  S3Key: z.string().optional(),
  S3ObjectVersion: z.string().optional(),
});
const Architectures = z.array(z.enum(["x86_64", "arm64"])).length(1);
const CreateInput = Settings.extend({
  FunctionName: z.string(),
  Code: CodeSource,
  Publish: z.boolean().optional(),
  Architectures: Architectures.optional(),
  PackageType: z.literal("Zip").optional(),
});
const UpdateCodeInput = CodeSource.extend({
  Publish: z.boolean().optional(),
  RevisionId: z.string().optional(),
  Architectures: Architectures.optional(),
});
const UpdateConfigurationInput = Settings.extend({ RevisionId: z.string().optional() });

/** Functions and their code: create, read, update, delete. */
export const functionOperations = ({
  registry,
  code,
  readObject,
  removed,
}: {
  registry: Registry;
  code: CodeStore;
  readObject: (bucket: string, key: string, version?: string) => Promise<Buffer>;
  /** Called after a function (`version` undefined) or one version of it is gone. */
  removed: (name: string, version: string | undefined) => void;
}): Operations => {
  const zipOf = async ({ ZipFile, S3Bucket, S3Key, S3ObjectVersion }: z.output<typeof CodeSource>): Promise<Buffer> => {
    if (ZipFile) return Buffer.from(ZipFile, "base64");
    if (!S3Bucket || !S3Key) throw invalid("Please provide a source for function code: ZipFile, or S3Bucket and S3Key.");
    try {
      return await readObject(S3Bucket, S3Key, S3ObjectVersion);
    } catch (cause) {
      const code = cause instanceof Error ? cause.name : "unknown";
      throw Object.assign(invalid(`Error occurred while GetObject of s3://${S3Bucket}/${S3Key}. S3 Error Code: ${code}.`), { cause });
    }
  };

  return {
    async CreateFunction(call) {
      refuseLargeRequest(call.body, "CreateFunction");
      const { FunctionName, Code, Publish, Architectures, PackageType: _, ...settings } = input(CreateInput, call);
      const { name } = functionReference(FunctionName);
      const refuseDouble = () => {
        if (registry.find(name)) throw conflict(`Function already exist: ${name}`);
      };
      refuseDouble();
      const base = configured(settings);
      const configuration = { ...base, Architectures: Architectures ?? base.Architectures };
      return await code.withCode(await zipOf(Code), (code) => {
        refuseDouble();
        const created = newFunction({ name, code, configuration, nextVersion: registry.firstVersion(name) });
        const { record, version } = Publish ? publish(created) : { record: created, version: created.latest };
        registry.put(record);
        return answer(201, functionConfiguration(record, version, Publish ? version.version : undefined));
      });
    },

    GetFunctionConfiguration(call) {
      const { name, qualifier } = referenceOf(call);
      const record = registry.get(name);
      return answer(200, functionConfiguration(record, snapshotAt(record, qualifier), qualifier));
    },

    ListFunctions(call) {
      const versions = call.query.get("FunctionVersion") === "ALL";
      const all = registry.all().flatMap((record) => [
        { key: record.name, view: functionConfiguration(record, record.latest, versions ? LATEST : undefined) },
        ...(versions ? Object.values(record.versions) : []).map((snapshot) => ({
          key: `${record.name}:${snapshot.version.padStart(12, "0")}`,
          view: functionConfiguration(record, snapshot, snapshot.version),
        })),
      ]);
      const { page: some, ...rest } = page(all, ({ key }) => key, call);
      return answer(200, { Functions: some.map(({ view }) => view), ...rest });
    },

    async UpdateFunctionCode(call) {
      refuseLargeRequest(call.body, "UpdateFunctionCode");
      const { name } = referenceOf(call);
      const asked = input(UpdateCodeInput, call);
      const current = () => changeable(registry.get(name), asked.RevisionId);
      current(); // a refusal need not wait for the zip
      return await code.withCode(await zipOf(asked), (code) => {
        const before = current();
        const configuration = {
          ...before.latest.configuration,
          Architectures: asked.Architectures ?? before.latest.configuration.Architectures,
        };
        const updated = { ...before, latest: updating(before.latest, { code, configuration }) };
        const { record, version } = asked.Publish ? publish(updated) : { record: updated, version: updated.latest };
        registry.put(record);
        return answer(200, functionConfiguration(record, version, asked.Publish ? version.version : undefined));
      });
    },

    UpdateFunctionConfiguration(call) {
      const { name } = referenceOf(call);
      const { RevisionId, ...settings } = input(UpdateConfigurationInput, call);
      const before = changeable(registry.get(name), RevisionId);
      const { code, configuration } = before.latest;
      const record = { ...before, latest: updating(before.latest, { code, configuration: configured(settings, configuration) }) };
      registry.put(record);
      return answer(200, functionConfiguration(record, record.latest));
    },

    DeleteFunction(call) {
      const { name, qualifier } = referenceOf(call);
      const record = registry.get(name);
      if (!qualifier) registry.bury(record);
      else registry.put(withoutVersion(record, qualifier));
      removed(name, qualifier);
      return answer(204);
    },
  };
};

const refuseLargeRequest = (body: Buffer, operation: string): void => {
  if (body.length <= REQUEST_LIMIT) return;
  throw new AwsError(
    "RequestEntityTooLargeException",
    413,
    `Request must be smaller than ${REQUEST_LIMIT} bytes for the ${operation} operation. Put the zip into S3 and give its bucket and key.`,
  );
};

const newFunction = ({
  name,
  nextVersion,
  ...content
}: Pick<FunctionRecord, "name" | "nextVersion"> & { code: Code; configuration: Snapshot["configuration"] }): FunctionRecord => ({
  name,
  nextVersion,
  latest: {
    version: LATEST,
    ...content,
    state: "Pending",
    lastUpdate: "Successful",
    lastModified: timestamp(),
    revisionId: randomUUID(),
  },
  versions: {},
  aliases: {},
  urls: {},
  policies: {},
});

const changeable = (record: FunctionRecord, revisionId: string | undefined): FunctionRecord => {
  refuseWhileChanging(record);
  checkRevision(revisionId, record.latest.revisionId);
  return record;
};

const updating = (before: Snapshot, content: { code: Code; configuration: Snapshot["configuration"] }): Snapshot => ({
  ...before,
  ...content,
  lastUpdate: "InProgress",
  lastModified: timestamp(),
  revisionId: randomUUID(),
  serving: { code: before.code, configuration: before.configuration },
});

const withoutVersion = (record: FunctionRecord, version: string): FunctionRecord => {
  if (version === LATEST) throw invalid("$LATEST version cannot be deleted without deleting the function.");
  if (!isVersionNumber(version)) throw invalid("Deletion of aliases is not currently supported. Call DeleteAlias.");
  versionOf(record, version);
  const names = aliasesOn(record, version).map((alias) => alias.name);
  if (names.length > 0) {
    throw conflict(`Unable to delete version because the following aliases reference it: [${names.join(", ")}]`);
  }
  const { [version]: _, ...versions } = record.versions;
  return { ...record, versions };
};

/** As Lambda writes it: 2026-11-23T09:14:00.000+0000. */
const timestamp = (): string => new Date().toISOString().replace("Z", "+0000");
