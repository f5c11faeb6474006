import { closeSync, openSync, read, readSync } from "node:fs";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { RandomAccessReader } from "yauzl";

const CHUNK = 256 * 1024;
const readAt = promisify(read);

/**
 * Reads headers and small entries of an archive in one go: each is a few bytes that the system has in memory, and a turn
 * of the event loop for each takes many times as long. Entries that are streamed are read as any file.
 */
export class FileReader extends RandomAccessReader {
  readonly #fd: number;

  constructor(file: string) {
    super();
    this.#fd = openSync(file, "r");
  }

  /** Fills the buffer from a position of the file. Throws where the file ends before. */
  fill(buffer: Buffer, position: number): void {
    this.#fill(buffer, 0, buffer.length, position);
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, callback: (error: Error | null) => void): void {
    let failure: Error | null = null;
    try {
      this.#fill(buffer, offset, length, position);
    } catch (error) {
      failure = error as Error;
    }
    setImmediate(callback, failure);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    // a stream of the file system closes the file when it is destroyed
    return Readable.from(this.#chunks(start, end), { objectMode: false });
  }

  override close(callback: (error: Error | null) => void): void {
    closeSync(this.#fd);
    setImmediate(callback, null);
  }

  async *#chunks(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - at));
      const { bytesRead } = await readAt(this.#fd, chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new Error("unexpected end of the file");
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  }

  #fill(buffer: Buffer, offset: number, length: number, position: number): void {
    for (let read = 0; read < length; ) {
      const bytes = readSync(this.#fd, buffer, offset + read, length - read, position + read);
      if (bytes === 0) throw new Error("unexpected end of the file");
      read += bytes;
    }
  }
}
