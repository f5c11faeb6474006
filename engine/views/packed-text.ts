import { gunzipSync, gzipSync } from "node:zlib";

/** What a packed text begins with: no JSON does. Stored for ever. */
const MARK = "gzip:";

/** A text in a third or a quarter of its bytes, for what is read often and charged by its length. */
export const packed = (text: string): string => `${MARK}${gzipSync(text).toString("base64")}`;

/** The text that was packed; one that was not is what it is. @throws where it was cut or overwritten */
export const unpacked = (text: string): string =>
  text.startsWith(MARK) ? gunzipSync(Buffer.from(text.slice(MARK.length), "base64")).toString() : text;
