import { consumerOf } from "../../engine/wiring/consumer.ts";
import { back, buildLogs, events, queues, site, views } from "../../engine/wiring/parts.ts";
import { newsOf } from "./news.ts";
import { notify } from "./notify.ts";

export const { wire, handler } = consumerOf(
  "notify",
  { back, buildLogs, events, queues, site, views },
  ({ back, buildLogs, events, views, site: siteNamed, queues, clock }) =>
    notify({
      news: newsOf({
        events,
        back,
        logEnd: buildLogs.end,
        url: (site, environment) => siteNamed(site, environment)?.url ?? null,
      }),
      rows: views,
      send: (body) => queues.send("deliver", body),
      clock,
    }),
);
