import { componentName, scheduleName } from "../blueprint/engine-functions.ts";
import { schedules as declared } from "../blueprint/topology.ts";
import { engineFunction } from "./engine-function.ts";
import { unshared } from "./event-store.ts";

const rate = (seconds: number): string => {
  const minutes = seconds / 60;
  if (!Number.isInteger(minutes)) throw new Error(`a schedule of ${seconds} seconds is not possible: EventBridge counts in minutes`);
  return `rate(${minutes} ${minutes === 1 ? "minute" : "minutes"})`;
};

/** What runs on a timer. A run that fails is not tried again: the next one does the same. */
export const schedules = declared.map((schedule) => {
  const title = componentName(schedule.name);
  const fn = engineFunction(schedule);
  const rule = new aws.cloudwatch.EventRule(
    `${title}Schedule`,
    {
      name: scheduleName(schedule.name),
      description: `Runs ${schedule.name}`,
      scheduleExpression: rate(schedule.everySeconds),
      state: "ENABLED",
    },
    unshared,
  );
  const permission = new aws.lambda.Permission(`${title}SchedulePermission`, {
    action: "lambda:InvokeFunction",
    function: fn.name,
    principal: "events.amazonaws.com",
    sourceArn: rule.arn,
  });
  new aws.cloudwatch.EventTarget(
    `${title}ScheduleTarget`,
    { rule: rule.name, targetId: "function", arn: fn.arn },
    { dependsOn: permission },
  );
  new aws.lambda.FunctionEventInvokeConfig(`${title}Retries`, { functionName: fn.name, maximumRetryAttempts: 0 });
  return { ...schedule, fn };
});
