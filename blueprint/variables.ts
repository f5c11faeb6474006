/**
 * The key under which an environment's secret keeps a word about itself, beside the values of variables: none can be
 * declared by that name (`sites.ts`), and neither builds nor functions are given it.
 */
export const LEDGER_KEY = "SHIPLOG_VARIABLES";

/** The word of a secret that nothing was set in yet. `key`: what its values are fingerprinted with, random and of no other use. */
export const firstLedger = (key: string): string => JSON.stringify({ key, revision: 0, set: {}, removed: {} });

/** What Lambda takes as the environment of a function: names and values as JSON, in bytes. */
export const MAX_ENVIRONMENT_BYTES = 4_096;
