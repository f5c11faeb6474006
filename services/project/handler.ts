import { readNudge } from "../../engine/kit/envelope.ts";
import { consumerOf } from "../../engine/wiring/consumer.ts";
import { store, views } from "../../engine/wiring/parts.ts";
import { project } from "./project.ts";

export const { wire, handler } = consumerOf(
  "project",
  { store, views },
  ({ store, views }) => project({ read: store.read, views }),
  readNudge,
  // a row is brought as far as its stream goes, whichever event says so
  { key: ({ stream }) => stream, merge: (nudges) => nudges.reduce((a, b) => (b.version > a.version ? b : a)) },
);
