/** The read models that are folds of the log, by name. */
export const viewNames = ["deployments", "environments", "webhooks"] as const;
export type ViewName = (typeof viewNames)[number];
