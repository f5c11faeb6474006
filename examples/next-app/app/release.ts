/** The id of the release that this code was built as; `development` outside a deployment. */
export const RELEASE_ID = process.env.RELEASE_ID ?? "development";
