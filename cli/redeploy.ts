/** What brings a change of variables to visitors. */
export const redeploy = ({ site, environment }: { readonly site: string; readonly environment: string }): string =>
  `shiplog deploy <dir> --site ${site} --env ${environment}`;
