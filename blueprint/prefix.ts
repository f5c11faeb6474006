/** The stage whose names carry no stage: the only one of an account and a region, for most. */
const UNNAMED = "production";

/**
 * What every name begins with that AWS takes once in an account and a region. No pattern of one stage's names fits those of
 * another: sites, environments and functions have dashes in their names, and no underscore.
 *
 * @param stage undefined: the one whose names carry none
 * @param unnamed SHIPLOG_DEFAULT_STAGE: the stage that was deployed before names carried one, where it is not `production`
 * @throws where the stage cannot stand in a name
 */
export const prefixOf = (stage: string | undefined, unnamed: string | undefined): string => {
  if (stage === undefined || stage === "" || stage === (unnamed || UNNAMED)) return "shiplog";
  if (!/^[a-z][a-z0-9-]{0,14}[a-z0-9]$|^[a-z]$/.test(stage))
    throw new Error(
      `the stage "${stage}" cannot stand in names of AWS: take 1-16 lower-case letters, digits and dashes, a letter first and no dash last`,
    );
  return `shiplog_${stage}`;
};

/** Of this process, which belongs to one stage: SHIPLOG_STAGE, which the infrastructure gives to itself and to every function. */
export const PREFIX = prefixOf(process.env.SHIPLOG_STAGE, process.env.SHIPLOG_DEFAULT_STAGE);
