type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Whether anybody said which region is meant: a variable, or the profile that is used. SST takes us-east-1 where nobody did.
 *
 * @param files AWS's own files of profiles, those that are there
 */
export const isRegionSaid = (
  { AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE, AWS_DEFAULT_PROFILE }: Variables,
  files: readonly string[],
): boolean => {
  if (AWS_REGION || AWS_DEFAULT_REGION) return true;
  const profile = AWS_PROFILE || AWS_DEFAULT_PROFILE || "default";
  return files
    .flatMap((text) => text.split(/^\s*\[/m))
    .some((section) => {
      const [, name] = /^\s*(?:profile\s+)?([^\]]*?)\s*\]/.exec(section) ?? [];
      return name === profile && /^region\s*=\s*\S/m.test(section);
    });
};

/** What is said where SST took one that nobody had said. */
export const REGION_UNSAID =
  "nobody said which region: AWS_REGION is not set and the profile has none, so SST would take us-east-1. Set AWS_REGION (also where us-east-1 is meant)";
