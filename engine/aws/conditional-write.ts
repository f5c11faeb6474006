import { problemOf } from "./errors.ts";

/** Whether a conditional write was done; `false` where its condition did not hold. */
export const conditionalWrite = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (problemOf(error) === "changed") return false;
    throw error;
  }
};
