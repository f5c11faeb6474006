/** For what looks at no signature. */
export const ANY_KEY = { accessKeyId: "any", secretAccessKey: "any" } as const;
