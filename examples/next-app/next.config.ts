import type { NextConfig } from "next";

/**
 * `DEPLOYMENT_ID` and `BUILD_ID` come from the deployment engine and hold the same value:
 * OpenNext keys cached pages by one and tags by the other, and revalidation silently does nothing when they differ.
 */
const config: NextConfig = {
  deploymentId: process.env.DEPLOYMENT_ID || undefined,
  generateBuildId: async () => process.env.BUILD_ID || null,
  // Inlined at build time, so every page and answer names the release that rendered it.
  env: { RELEASE_ID: process.env.DEPLOYMENT_ID || "development" },
  // Without these two, Next looks for a lockfile in the folders above and traces files from there.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
  poweredByHeader: false,
};

export default config;
