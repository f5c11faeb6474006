import { randomUUID } from "node:crypto";
import type { RecordStore } from "../record-store.ts";
import { functionArn, LATEST } from "./names.ts";
import type { FunctionRecord, Snapshot, Tombstone } from "./records.ts";
import { notFound } from "./refusals.ts";

/** The functions of the account. Whatever is Pending or InProgress settles by itself a moment after it was put. */
export type Registry = {
  find(name: string): FunctionRecord | undefined;
  /** 404 when there is none. */
  get(name: string): FunctionRecord;
  all(): readonly FunctionRecord[];
  /** Written to disk when this returns. */
  put(record: FunctionRecord): void;
  /** Deletes the function and remembers how far its version numbers went. */
  bury(record: FunctionRecord): void;
  /** The number that the first version of a new function of this name gets. */
  firstVersion(name: string): number;
  /** Stops the timers; what has not settled yet settles after the next start. */
  close(): void;
};

export const openRegistry = ({
  store,
  settleMs,
  settled,
}: {
  store: RecordStore<FunctionRecord | Tombstone>;
  /** How long Pending and InProgress last. */
  settleMs: number;
  /** Called after a snapshot became Active and Successful. */
  settled: (record: FunctionRecord) => void;
}): Registry => {
  const timers = new Map<string, NodeJS.Timeout>();

  const find = (name: string): FunctionRecord | undefined => {
    const record = store.get(name);
    return record && !("deleted" in record) ? record : undefined;
  };

  const put = (record: FunctionRecord): void => {
    store.put(record.name, record);
    for (const snapshot of [record.latest, ...Object.values(record.versions)]) {
      if (!isSettled(snapshot) && !timers.has(snapshot.revisionId)) settleLater(record.name, snapshot);
    }
  };

  const settleLater = (name: string, { version, revisionId }: Snapshot): void => {
    const settle = () => {
      timers.delete(revisionId);
      const record = find(name);
      const snapshot = version === LATEST ? record?.latest : record?.versions[version];
      if (!record || snapshot?.revisionId !== revisionId) return;
      const done = finish(snapshot);
      const next = version === LATEST ? { ...record, latest: done } : { ...record, versions: { ...record.versions, [version]: done } };
      put(next);
      settled(next);
    };
    timers.set(revisionId, setTimeout(settle, settleMs));
  };

  const all = () => store.all().filter((record): record is FunctionRecord => !("deleted" in record));
  for (const record of all()) if (![record.latest, ...Object.values(record.versions)].every(isSettled)) put(record);

  return {
    find,
    get(name) {
      const record = find(name);
      if (!record) throw notFound(`Function not found: ${functionArn(name)}`);
      return record;
    },
    all,
    put,
    bury: ({ name, nextVersion }) => store.put(name, { name, nextVersion, deleted: true }),
    firstVersion: (name) => store.get(name)?.nextVersion ?? 1,
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
};

const isSettled = ({ state, lastUpdate }: Snapshot): boolean => state === "Active" && lastUpdate === "Successful";

/** The second change of RevisionId: the one that an update's own answer could not know. */
const finish = ({ serving: _, ...snapshot }: Snapshot): Snapshot => ({
  ...snapshot,
  state: "Active",
  lastUpdate: "Successful",
  revisionId: randomUUID(),
});
