import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";

/** Whether a conditional write was done; `false` where its condition did not hold. ElectroDB wraps what DynamoDB says: the cause tells. */
export const ifNewer = async (write: Promise<unknown>): Promise<boolean> => {
  try {
    await write;
    return true;
  } catch (error) {
    if (
      error instanceof ConditionalCheckFailedException ||
      (error instanceof Error && error.cause instanceof ConditionalCheckFailedException)
    )
      return false;
    throw error;
  }
};
