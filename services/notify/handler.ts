import type { DeploymentEvent } from "../../domain/deployment/events.ts";
import type { EnvironmentEvent } from "../../domain/environment/events.ts";
import type { Recorded } from "../../domain/kernel/event.ts";
import { consumer } from "../../engine/kit/consumer.ts";
import { readRecorded } from "../../engine/kit/envelope.ts";
import { maxReceives } from "../../engine/kit/receives.ts";
import type { Engine } from "../../engine/wiring/engine.ts";
import { onLambda } from "../../engine/wiring/lambda.ts";
import { buildLogs, events, queues, site, views } from "../../engine/wiring/parts.ts";
import { newsOf } from "./news.ts";
import { notify } from "./notify.ts";

/** Lines of a failed build that a message shows. */
const LINES = 10;

export const wire = ({
  buildLogs,
  events,
  views,
  site: siteNamed,
  queues,
  clock,
}: Pick<Engine, "buildLogs" | "events" | "views" | "site" | "queues" | "clock">) => {
  return consumer(
    maxReceives("notify"),
    queues.mailroom("notify"),
    (body) => readRecorded(body) as Recorded<DeploymentEvent | EnvironmentEvent>,
    notify({
      news: newsOf({
        events,
        lastLines: (place) => buildLogs.tail(place, LINES),
        url: (site, environment) => siteNamed(site, environment)?.url ?? null,
      }),
      rows: views,
      send: (body) => queues.send("deliver", body),
      clock,
    }),
  );
};

export const handler = onLambda({ buildLogs, events, views, site, queues }, wire);
