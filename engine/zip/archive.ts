/** The one door to archives: pack a folder, pack an app's source, unpack what somebody else packed. */

export { type Replacement, zipFolderOf } from "./archive-repack.ts";
export { type ArchiveRefusal, ArchiveRefused } from "./archive-rules.ts";
export {
  type LeftOut,
  type ListedSource,
  listSource,
  type SourceOptions,
  type SourceRules,
  sourceRules,
  type ZippedSource,
  zipSource,
} from "./archive-source.ts";
export { type Held, type UnzipLimits, unzipInto } from "./archive-unzip.ts";
export { type ZipOptions, type Zipped, type ZippedEntry, zipDirectory } from "./archive-zip.ts";
