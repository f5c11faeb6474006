import { describe, type Fence, UNMOVED } from "../../domain/environment/fence.ts";

/** The command that puts an alias back to where the log has put it, weights gone; `undefined`: where it never did. */
export const putBack = (
  name: string,
  alias: string,
  recorded: (Fence & { version: string }) | undefined,
  found: { version: string },
): string => {
  const { version } = recorded ?? found;
  const description = describe(recorded ?? UNMOVED);
  return `aws lambda update-alias --function-name ${name} --name ${alias} --function-version ${version} --description "${description}" --routing-config AdditionalVersionWeights={}`;
};
