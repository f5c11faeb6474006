/** What the builds and the functions of sites run on, and what a person's app is held against before it is packed. */

/** Node of builds, of the sites' functions and of the engine's. */
export const NODE_MAJOR = 24;

/** OpenNext's wrapper for a server that streams its answers through a Function URL. */
export const STREAMING_WRAPPER = "aws-lambda-streaming";
