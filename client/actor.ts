/** A name as a header can hold it: ASCII alone, letters by their nearest (`Zoë` is `Zoe`), at most 64; "" where none is left. */
export const headerName = (name: string): string =>
  name
    .replace(/[\u2018\u2019]/g, "'")
    .normalize("NFKD")
    .replace(/[^\x20-\x7e]/g, "")
    .trim()
    .slice(0, 64);
