/** A file of the data folder that cannot be read any more: which one, why, and what the person can do about it. */
export class Damaged extends Error {
  override readonly name = "Damaged";
  readonly file: string;
  /** a full sentence without its stop */
  readonly next: string;
  constructor(file: string, why: string, next: string, options: { cause?: unknown } = {}) {
    super(`${file} cannot be used: ${why}`, options);
    this.file = file;
    this.next = next;
  }
}
