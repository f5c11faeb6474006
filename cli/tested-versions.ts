/** The OpenNext that Shiplog is tried with, and what it says of Next.js. A test holds both against the example's lockfile. */
export const OPEN_NEXT = { version: "4.1.12", next: ">=15.5.28 <16 || >=16.4.1" } as const;
