import { consumerOf } from "../../engine/wiring/consumer.ts";
import { buildLogs, events, queues, site, views } from "../../engine/wiring/parts.ts";
import { newsOf } from "./news.ts";
import { notify } from "./notify.ts";

/** Lines of a failed build that a message shows. */
const LINES = 10;

export const { wire, handler } = consumerOf(
  "notify",
  { buildLogs, events, queues, site, views },
  ({ buildLogs, events, views, site: siteNamed, queues, clock }) =>
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
