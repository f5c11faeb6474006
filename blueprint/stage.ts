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

/** The stage whose names carry no stage: the only one of an account and a region, for most. */
const UNNAMED = "production";

/**
 * What every name begins with that AWS takes once in an account and a region. No pattern of one stage's names fits those of
 * another: after it comes a dash, and where a stage has one its names have an underscore, which no stage has.
 *
 * @param stage undefined: the one whose names carry none
 * @param unnamed SHIPLOG_DEFAULT_STAGE: the stage that was deployed before names carried one, where it is not `production`
 * @throws where the stage cannot stand in a name
 */
export const stagePrefix = (stage: string | undefined, unnamed: string | undefined): string => {
  if (stage === undefined || stage === "" || stage === (unnamed || UNNAMED)) return "shiplog";
  if (!/^[a-z][a-z0-9-]{0,14}[a-z0-9]$|^[a-z]$/.test(stage))
    throw new Error(
      `the stage "${stage}" cannot stand in names of AWS: take 1-16 lower-case letters, digits and dashes, a letter first and no dash last`,
    );
  return `shiplog_${stage.replaceAll("-", "_")}`;
};
