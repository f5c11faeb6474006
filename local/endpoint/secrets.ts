import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { ACCOUNT, AwsError, type AwsService, REGION } from "../http.ts";
import { openJsonFile } from "./json-file.ts";
import { jsonService } from "./wire.ts";

type Version = { SecretString?: string; SecretBinary?: string; created: number };
type Secret = {
  Name: string;
  ARN: string;
  Description?: string | undefined;
  CreatedDate: number;
  LastChangedDate: number;
  versions: Record<string, Version>;
  stages: { AWSCURRENT?: string; AWSPREVIOUS?: string };
};
type Value = { SecretString?: string; SecretBinary?: string };
type ById = { SecretId: string };

const KEPT_VERSIONS = 20;

/** Secrets Manager: the values lie in one file that only its owner may read. Nothing is encrypted: a place for trials. */
export function secretsService(dataDir: string): AwsService {
  const file = openJsonFile<Record<string, Secret>>(join(dataDir, "secrets.json"), {}, 0o600);

  function find({ SecretId }: ById): Secret {
    const found = Object.values(file.value).find(({ Name, ARN }) => Name === SecretId || ARN === SecretId || ARN.slice(0, -7) === SecretId);
    if (!found) throw new AwsError("ResourceNotFoundException", 400, "Secrets Manager can't find the specified secret.");
    return found;
  }

  /** Adds a version and makes it the current one; a version id that was used with the same value changes nothing. */
  function add(secret: Secret, versionId: string, { SecretString, SecretBinary }: Value): void {
    const known = secret.versions[versionId];
    const value: Value = { ...(SecretString !== undefined && { SecretString }), ...(SecretBinary !== undefined && { SecretBinary }) };
    if (known) {
      if (known.SecretString === SecretString && known.SecretBinary === SecretBinary) return;
      throw new AwsError("ResourceExistsException", 400, `The version ${versionId} of this secret has another value already.`);
    }
    const previous = secret.stages.AWSCURRENT;
    secret.versions[versionId] = { ...value, created: seconds() };
    secret.stages = { AWSCURRENT: versionId, ...(previous && { AWSPREVIOUS: previous }) };
    secret.LastChangedDate = seconds();
    for (const old of Object.keys(secret.versions).slice(0, -KEPT_VERSIONS)) delete secret.versions[old];
  }

  return jsonService("secretsmanager", {
    CreateSecret({ Name, Description, ClientRequestToken = randomUUID(), ...value }: CreateSecretInput) {
      if (!/^[\w/+=.@-]{1,512}$/.test(Name ?? "")) throw new AwsError("InvalidParameterException", 400, "Invalid name.");
      if (Object.hasOwn(file.value, Name)) {
        throw new AwsError("ResourceExistsException", 400, `The operation failed because the secret ${Name} already exists.`);
      }
      const ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${Name}-${randomBytes(3).toString("hex")}`;
      const secret: Secret = { Name, ARN, Description, CreatedDate: seconds(), LastChangedDate: seconds(), versions: {}, stages: {} };
      const valued = value.SecretString !== undefined || value.SecretBinary !== undefined;
      if (valued) add(secret, ClientRequestToken, value);
      file.value[Name] = secret;
      file.save();
      return { ARN, Name, ...(valued && { VersionId: ClientRequestToken }) };
    },
    PutSecretValue({ SecretId, ClientRequestToken = randomUUID(), ...value }: ById & Value & { ClientRequestToken?: string }) {
      const secret = find({ SecretId });
      add(secret, ClientRequestToken, value);
      file.save();
      return { ARN: secret.ARN, Name: secret.Name, VersionId: ClientRequestToken, VersionStages: ["AWSCURRENT"] };
    },
    GetSecretValue({ SecretId, VersionId, VersionStage = "AWSCURRENT" }: ById & { VersionId?: string; VersionStage?: string }) {
      const secret = find({ SecretId });
      const id = VersionId ?? secret.stages[VersionStage as keyof Secret["stages"]];
      const version = id === undefined ? undefined : secret.versions[id];
      if (id === undefined || !version) {
        throw new AwsError(
          "ResourceNotFoundException",
          400,
          `Secrets Manager can't find the secret value for ${VersionId ?? VersionStage}.`,
        );
      }
      const { created: CreatedDate, ...value } = version;
      return { ARN: secret.ARN, Name: secret.Name, VersionId: id, VersionStages: stagesOf(secret, id), CreatedDate, ...value };
    },
    DescribeSecret: (input: ById) => described(find(input)),
    DeleteSecret(input: ById) {
      const { Name, ARN } = find(input);
      delete file.value[Name]; // at once, as with ForceDeleteWithoutRecovery
      file.save();
      return { ARN, Name, DeletionDate: seconds() };
    },
  });
}

type CreateSecretInput = Value & { Name: string; Description?: string; ClientRequestToken?: string };

const described = (secret: Secret) => ({
  ARN: secret.ARN,
  Name: secret.Name,
  Description: secret.Description,
  CreatedDate: secret.CreatedDate,
  LastChangedDate: secret.LastChangedDate,
  VersionIdsToStages: Object.fromEntries(Object.values(secret.stages).map((id) => [id, stagesOf(secret, id)])),
});

const stagesOf = (secret: Secret, versionId: string): string[] =>
  Object.entries(secret.stages).flatMap(([stage, id]) => (id === versionId ? [stage] : []));

const seconds = (): number => Date.now() / 1000;
