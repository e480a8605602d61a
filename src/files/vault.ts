// Port: the bytes of files, each under a key that nobody can guess.
import type { Readable } from 'node:stream'

/** Bytes from `start` to `end`, both within the file and both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}
export interface Written {
  /** Bytes. */
  readonly size: number
  /** Hexadecimal. */
  readonly sha256: string
}
export interface WriteLimits {
  /** One byte more, and nothing is kept: `tooLarge`. */
  readonly maxBytes: number
  /** Ends the wait for bytes that do not come, and for a disk that does not answer. */
  readonly signal?: AbortSignal | undefined
  /** Told now and then how many bytes have been taken over so far: those are not looked at any more. */
  readonly taken?: (bytes: number) => void
}
export interface StoredBytes {
  /** To be read to its end or destroyed. */
  readonly stream: Readable
  /** Of the whole file, in bytes, whatever range was asked for. */
  readonly size: number
}

/**
 * Keys are 22 to 64 characters of base64url, with a lower-case ending such as `.png` or without; any other is refused
 * with `invalidRequest`. What cannot be read or written now is refused with `unavailable`, a full disk with
 * `storageFull`.
 */
export interface Vault {
  /**
   * Keeps all of the stream, or nothing: under its key there is never a part of a file, and after a failure nothing is
   * left behind, unless the process died; see `sweep`. A stream that fails rejects with its own error. What was there
   * under the key is replaced.
   */
  write(key: string, bytes: Readable, limits: WriteLimits): Promise<Written>
  /** Null when there is none. */
  read(key: string, range?: ByteRange): Promise<StoredBytes | null>
  /** The path of a file, whether or not there is one; only of a vault that keeps files where a library can open them. */
  pathOf?(key: string): string
  /** Also of a key under which there is nothing. */
  remove(key: string): Promise<void>
  /** Lets go what writes left behind that began before this time and died with their process; answers how many. */
  sweep(before: Date): Promise<number>
  /** Breaks writes off that are under way, and cleans up behind them. */
  close(): Promise<void>
}
