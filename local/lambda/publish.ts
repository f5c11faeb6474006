import { randomUUID } from "node:crypto";
import { type FunctionRecord, fingerprint, type Snapshot } from "./records.ts";

/**
 * Makes a version of `$LATEST`, or gives the newest one when nothing changed since it was made:
 * publishing is many to one. The record that comes back is not stored yet.
 */
export const publish = (record: FunctionRecord, description?: string): { record: FunctionRecord; version: Snapshot } => {
  const from = fingerprint(record.latest);
  const newest = newestVersion(record);
  if (newest?.publishedFrom === from) return { record, version: newest };
  const number = String(record.nextVersion);
  const { code, configuration, lastModified } = record.latest;
  const version: Snapshot = {
    version: number,
    configuration: { ...configuration, Description: description ?? configuration.Description },
    code,
    state: "Pending",
    lastUpdate: "Successful",
    lastModified,
    revisionId: randomUUID(),
    publishedFrom: from,
  };
  return { record: { ...record, versions: { ...record.versions, [number]: version }, nextVersion: record.nextVersion + 1 }, version };
};

const newestVersion = ({ versions }: FunctionRecord): Snapshot | undefined => versions[Math.max(0, ...Object.keys(versions).map(Number))];
