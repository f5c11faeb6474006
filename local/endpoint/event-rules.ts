import { ACCOUNT, AwsError, REGION } from "../http.ts";
import type { Target } from "./event-delivery.ts";
import { parsePattern } from "./event-pattern.ts";
import type { JsonFile } from "./json-file.ts";

export type Rule = {
  Name: string;
  EventPattern: string;
  State: "ENABLED" | "DISABLED";
  Description?: string | undefined;
  Targets: Target[];
};
export type Bus = { Name: string; Rules: Record<string, Rule> };
export type Buses = Record<string, Bus>;

type OnBus = { EventBusName?: string };
type OnRule = OnBus & { Name: string };
type Prefixed = { NamePrefix?: string };

/** The buses a new endpoint has. */
export const firstBuses = (): Buses => ({ default: { Name: "default", Rules: {} } });

/** A bus by name or ARN; the default one where none is named. */
export function findBus(buses: Buses, nameOrArn = "default"): Bus {
  const name = nameOrArn.split("event-bus/").at(-1) ?? "";
  const bus = Object.hasOwn(buses, name) ? buses[name] : undefined;
  if (!bus) throw new AwsError("ResourceNotFoundException", 400, `Event bus ${name} does not exist.`);
  return bus;
}

export const busArn = (name: string): string => `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/${name}`;
export const ruleArn = (bus: string, rule: string): string =>
  `arn:aws:events:${REGION}:${ACCOUNT}:rule/${bus === "default" ? "" : `${bus}/`}${rule}`;

/** EventBridge's control plane: buses, rules and targets. Every change is in the file before it is answered. */
export function ruleOperations(file: JsonFile<Buses>) {
  const buses = file.value;
  const rule = ({ EventBusName, Name }: OnRule): Rule => {
    const found = ownValue(findBus(buses, EventBusName).Rules, Name);
    if (!found)
      throw new AwsError("ResourceNotFoundException", 400, `Rule ${Name} does not exist on EventBus ${EventBusName ?? "default"}.`);
    return found;
  };
  const shown = (bus: Bus, { Targets: _, ...fields }: Rule) => ({ ...fields, EventBusName: bus.Name, Arn: ruleArn(bus.Name, fields.Name) });
  const setState = (input: OnRule, state: Rule["State"]): void => {
    rule(input).State = state;
    file.save();
  };

  return {
    CreateEventBus({ Name }: { Name: string }) {
      checkName(Name, /^[/.\-_A-Za-z0-9]{1,256}$/);
      if (Object.hasOwn(buses, Name)) throw new AwsError("ResourceAlreadyExistsException", 400, `Event bus ${Name} already exists.`);
      buses[Name] = { Name, Rules: {} };
      file.save();
      return { EventBusArn: busArn(Name) };
    },
    DescribeEventBus({ Name }: { Name?: string }) {
      const bus = findBus(buses, Name);
      return { Name: bus.Name, Arn: busArn(bus.Name) };
    },

    PutRule({ Name, EventBusName, EventPattern, State = "ENABLED", Description, ScheduleExpression }: PutRuleInput) {
      const bus = findBus(buses, EventBusName);
      checkName(Name, /^[.\-_A-Za-z0-9]{1,64}$/);
      if (ScheduleExpression || !EventPattern) {
        throw new AwsError("ValidationException", 400, `Rule ${Name} needs an EventPattern: the local bus has no schedules.`);
      }
      parsePattern(EventPattern);
      const Targets = ownValue(bus.Rules, Name)?.Targets ?? [];
      bus.Rules[Name] = { Name, EventPattern, State: State === "DISABLED" ? State : "ENABLED", Description, Targets };
      file.save();
      return { RuleArn: ruleArn(bus.Name, Name) };
    },
    DescribeRule: (input: OnRule) => shown(findBus(buses, input.EventBusName), rule(input)),
    ListRules({ EventBusName, NamePrefix = "" }: OnBus & Prefixed) {
      const bus = findBus(buses, EventBusName);
      const named = Object.values(bus.Rules).filter(({ Name }) => Name.startsWith(NamePrefix));
      return { Rules: named.map((one) => shown(bus, one)) };
    },
    EnableRule: (input: OnRule) => setState(input, "ENABLED"),
    DisableRule: (input: OnRule) => setState(input, "DISABLED"),

    PutTargets({ Rule, EventBusName, Targets }: { Rule: string; EventBusName?: string; Targets: Target[] }) {
      const found = rule({ Name: Rule, ...(EventBusName && { EventBusName }) });
      const failed = Targets.flatMap((target) => problemOf(target) ?? []);
      const sound = Targets.filter(({ Id }) => !failed.some(({ TargetId }) => TargetId === Id));
      const kept = found.Targets.filter(({ Id }) => !sound.some((target) => target.Id === Id));
      if (kept.length + sound.length > 5) {
        throw new AwsError("LimitExceededException", 400, `Rule ${Rule} would have more than 5 targets, which is AWS's limit.`);
      }
      found.Targets = [...kept, ...sound];
      file.save();
      return { FailedEntryCount: failed.length, FailedEntries: failed };
    },
    ListTargetsByRule({ Rule, EventBusName }: { Rule: string; EventBusName?: string }) {
      const { Targets } = rule({ Name: Rule, ...(EventBusName && { EventBusName }) });
      // a list of none is left out
      return Targets.length > 0 ? { Targets } : {};
    },
  };
}

type PutRuleInput = OnRule & { EventPattern?: string; State?: string; Description?: string; ScheduleExpression?: string };

/** A target that the local bus can't serve as AWS would is refused, instead of being served in another way. */
function problemOf(target: Target): { TargetId: string; ErrorCode: string; ErrorMessage: string } | undefined {
  const failed = (ErrorMessage: string) => ({ TargetId: target.Id, ErrorCode: "UnsupportedTarget", ErrorMessage });
  if (!/^arn:aws:sqs:/.test(target.Arn)) return failed(`The local bus delivers to SQS queues only, not to ${target.Arn}.`);
  const shaped = ["Input", "InputPath", "InputTransformer"].find((name) => name in target);
  if (shaped) return failed(`The local bus has no ${shaped}: a target gets the whole envelope.`);
  if (target.Arn.endsWith(".fifo") && !target.SqsParameters?.MessageGroupId) {
    return failed(`The FIFO queue ${target.Arn} needs SqsParameters.MessageGroupId.`);
  }
  return undefined;
}

function checkName(name: string, shape: RegExp): void {
  if (!shape.test(name ?? ""))
    throw new AwsError("ValidationException", 400, `"${name}" is not a valid name: it must match ${shape.source}.`);
}

const ownValue = <T>(record: Record<string, T>, key: string): T | undefined => (Object.hasOwn(record, key) ? record[key] : undefined);
