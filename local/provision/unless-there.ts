const THERE = [
  "BucketAlreadyOwnedByYou",
  "BucketAlreadyExists",
  "ResourceAlreadyExistsException",
  "ResourceConflictException",
  "ResourceExistsException",
  "ResourceInUseException",
];

/** Runs a creation; that the thing is there already is as good. Anything else is thrown. */
export const unlessThere = async (create: () => Promise<unknown>): Promise<boolean> => {
  try {
    await create();
    return true;
  } catch (error) {
    if (error instanceof Error && THERE.includes(error.name)) return false;
    throw error;
  }
};
