/**
 * Whether a stage keeps what cannot be made again: its tables, buckets, secrets and key outlive `sst remove`. Every stage
 * does but those that say so themselves: whatever it is called, it may be somebody's production.
 *
 * @param personal the stage that SST gave this checkout (`.sst/stage`), where it did
 */
export const isProtected = (
  stage: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
  personal: string | undefined,
): boolean => environment.SHIPLOG_THROWAWAY !== "1" && (stage === undefined || stage !== personal);

/** What is said of it after every deployment of the infrastructure. */
export const sayProtection = (stage: string, kept: boolean): string =>
  kept
    ? `${stage} is protected: its tables, buckets, secrets and key stay when it is removed`
    : `${stage} is a throw-away stage: all that it keeps goes when it is removed`;
