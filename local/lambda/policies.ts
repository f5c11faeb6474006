import { randomUUID } from "node:crypto";
import * as z from "zod";
import { functionArn } from "./names.ts";
import { answer, type Call, checkRevision, input, type Operations, referenceOf } from "./operation.ts";
import { type FunctionRecord, type Policy, snapshotAt } from "./records.ts";
import { conflict, notFound } from "./refusals.ts";
import type { Registry } from "./registry.ts";

const PermissionInput = z.object({
  StatementId: z.string().regex(/^[a-zA-Z0-9-_]{1,100}$/),
  Action: z.string().regex(/^lambda:[*a-zA-Z]+$/),
  Principal: z.string().min(1),
  SourceArn: z.string().optional(),
  SourceAccount: z.string().optional(),
  FunctionUrlAuthType: z.enum(["NONE", "AWS_IAM"]).optional(),
  InvokedViaFunctionUrl: z.boolean().optional(),
  RevisionId: z.string().optional(),
});

/** Resource policies: recorded so that a deployer's own checks work, not enforced. */
export const policyOperations = (registry: Registry): Operations => ({
  AddPermission(call) {
    const asked = input(PermissionInput, call);
    const { record, qualifier, policy } = policyAt(registry, call);
    if (asked.RevisionId) checkRevision(asked.RevisionId, policy?.revisionId ?? "", "GetPolicy");
    if (policy?.statements[asked.StatementId]) {
      throw conflict(
        `The statement id (${asked.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
      );
    }
    const statement = statementOf(asked, functionArn(record.name, qualifier || undefined));
    const statements = { ...policy?.statements, [asked.StatementId]: statement };
    registry.put({ ...record, policies: { ...record.policies, [qualifier]: { revisionId: randomUUID(), statements } } });
    return answer(201, { Statement: JSON.stringify(statement) });
  },

  GetPolicy(call) {
    const { policy } = policyAt(registry, call);
    if (policy === undefined) throw notFound("The resource you requested does not exist.");
    const Statement = Object.values(policy.statements);
    return answer(200, { Policy: JSON.stringify({ Version: "2012-10-17", Id: "default", Statement }), RevisionId: policy.revisionId });
  },

  RemovePermission(call) {
    const { record, qualifier, policy } = policyAt(registry, call);
    const id = call.path[1] ?? "";
    if (policy === undefined || !Object.hasOwn(policy.statements, id)) throw notFound(`Statement ${id} is not found in resource policy.`);
    checkRevision(call.query.get("RevisionId"), policy.revisionId, "GetPolicy");
    const { [id]: _statement, ...statements } = policy.statements;
    const { [qualifier]: _policy, ...others } = record.policies;
    const left = Object.keys(statements).length > 0 ? { [qualifier]: { revisionId: randomUUID(), statements } } : {};
    registry.put({ ...record, policies: { ...others, ...left } });
    return answer(204);
  },
});

const policyAt = (registry: Registry, call: Call): { record: FunctionRecord; qualifier: string; policy: Policy | undefined } => {
  const { name, qualifier = "" } = referenceOf(call);
  const record = registry.get(name);
  snapshotAt(record, qualifier || undefined);
  return { record, qualifier, policy: record.policies[qualifier] };
};

const statementOf = (asked: z.output<typeof PermissionInput>, Resource: string): object => {
  const { StatementId: Sid, Action, Principal, SourceArn, SourceAccount, FunctionUrlAuthType, InvokedViaFunctionUrl } = asked;
  const equals = {
    ...(SourceAccount ? { "AWS:SourceAccount": SourceAccount } : {}),
    ...(FunctionUrlAuthType ? { "lambda:FunctionUrlAuthType": FunctionUrlAuthType } : {}),
  };
  const Condition = {
    ...(Object.keys(equals).length > 0 ? { StringEquals: equals } : {}),
    ...(SourceArn ? { ArnLike: { "AWS:SourceArn": SourceArn } } : {}),
    ...(InvokedViaFunctionUrl === undefined ? {} : { Bool: { "lambda:InvokedViaFunctionUrl": String(InvokedViaFunctionUrl) } }),
  };
  return {
    Sid,
    Effect: "Allow",
    Principal: principal(Principal),
    Action,
    Resource,
    ...(Object.keys(Condition).length > 0 ? { Condition } : {}),
  };
};

const principal = (value: string): string | object => {
  if (value === "*") return value;
  if (/^\d{12}$/.test(value)) return { AWS: `arn:aws:iam::${value}:root` };
  return value.startsWith("arn:") ? { AWS: value } : { Service: value };
};
