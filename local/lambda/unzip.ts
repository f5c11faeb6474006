import { ArchiveRefused, unzipInto } from "../../engine/zip/archive.ts";
import type { AwsError } from "../http.ts";
import { invalid } from "./refusals.ts";

/** Bytes that a bundle may have when unzipped: 250 MB, as Lambda has it. */
export const UNZIPPED_LIMIT = 262_144_000;

/** Unzips a function's code. Refuses (400) what Lambda does: no zip, an empty one, one too large, links that lead out of the folder. */
export const unzip = async (zipFile: string, folder: string): Promise<void> => {
  const limits = { maxBytes: UNZIPPED_LIMIT, maxFiles: Number.POSITIVE_INFINITY, maxRatio: Number.POSITIVE_INFINITY };
  const { files } = await unzipInto(zipFile, folder, limits).catch((cause: unknown) => {
    throw cause instanceof ArchiveRefused ? Object.assign(refusal(cause), { cause }) : cause;
  });
  if (files === 0) throw invalid("Uploaded file must be a non-empty zip");
};

const refusal = ({ reason, entry }: ArchiveRefused): AwsError => {
  if (reason === "too-large") return invalid(`Unzipped size must be smaller than ${UNZIPPED_LIMIT} bytes`);
  if (reason === "link-leaves-folder") return invalid(`The symbolic link ${entry} leads out of the bundle. Make the zip without it.`);
  return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.");
};
