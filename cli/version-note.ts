import { fitOf, version } from "../client/version.ts";
import type { Connection } from "./connection.ts";
import { ownPackage } from "./own-package.ts";
import { plain } from "./terminal.ts";

/** Says that command and engine are too far apart, and which command brings which of them up to date. */
export const versionNote = ({ url, endpoint }: Connection, engine: string): string | undefined => {
  const fit = fitOf(version, engine);
  if (fit === undefined || fit === "fits") return undefined;
  const [its, mine] = [plain(engine), `this command is ${version}`];
  if (fit === "command-too-old")
    return `note: the engine at ${url} is ${its}, and ${mine}: too old for it. Update the command:  npm i -D ${ownPackage}@${its}`;
  const update = endpoint === undefined ? "shiplog up --stage <its stage>" : "end `shiplog dev`, and start it again with this version";
  return `note: the engine at ${url} is ${its}, and ${mine}: too new for it. Update the engine:  ${update}`;
};
