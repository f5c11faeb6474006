/** What nobody throws away by a variable that is left over in a shell: it must be called by its name. */
const PRODUCTION = /^prod(uction)?$|^live$/i;

/**
 * Whether a stage keeps what cannot be made again: its tables, buckets, secrets and key. Every stage does but those that say
 * so themselves: whatever it is called, it may be somebody's production.
 *
 * @param throwaway SHIPLOG_THROWAWAY: the stage's own name, or 1, which goes for none that is called like production
 * @param personal the stage that SST gave this checkout (`.sst/stage`), where it did; none that is called like production is one
 */
export const isProtected = (stage: string | undefined, throwaway: string | undefined, personal: string | undefined): boolean => {
  if (stage === undefined) return true;
  if (throwaway === stage) return false;
  return PRODUCTION.test(stage) || (throwaway !== "1" && stage !== personal);
};

/** What is said of it after every deployment of the infrastructure. */
export const sayProtection = (stage: string, kept: boolean): string =>
  kept
    ? `${stage} is protected: its tables, buckets, secrets and key stay when it is removed`
    : `${stage} is a throw-away stage: its tables, buckets, secrets and key go when it is removed`;
