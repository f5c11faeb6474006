import metadata from "../package.json" with { type: "json" };

/** The package that this command came in; the build of the small one puts its own name here (scripts/bundle-client.ts). */
export const ownPackage: string = metadata.name;
