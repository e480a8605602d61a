// Arrays in Postgres' binary form: nothing in a text needs to be escaped here, nor read character by character there.
import { toStored } from './pg-text'

const TEXT = 25
const INT4 = 23
const HEADER_BYTES = 20
const LENGTH_BYTES = 4
const INT_BYTES = 4
const NULL_LENGTH = -1

/** A parameter of type `text[]`. */
export function textArray(cells: readonly (string | null)[]): Buffer {
  const texts = cells.map((cell) => (cell === null ? null : toStored(cell)))
  let bytes = HEADER_BYTES
  for (const text of texts) bytes += LENGTH_BYTES + (text === null ? 0 : Buffer.byteLength(text))
  const array = header(TEXT, cells.length, bytes)
  let at = HEADER_BYTES
  for (const text of texts) {
    const written = text === null ? 0 : array.write(text, at + LENGTH_BYTES)
    at = array.writeInt32BE(text === null ? NULL_LENGTH : written, at) + written
  }
  return array
}

/** A parameter of type `int[]`. */
export function intArray(cells: readonly (number | null)[]): Buffer {
  const array = header(INT4, cells.length, HEADER_BYTES + cells.length * (LENGTH_BYTES + INT_BYTES))
  let at = HEADER_BYTES
  for (const cell of cells)
    at =
      cell === null ? array.writeInt32BE(NULL_LENGTH, at) : array.writeInt32BE(cell, array.writeInt32BE(INT_BYTES, at))
  return array.subarray(0, at)
}

/** One dimension, counted from 1; an empty array has none. */
function header(type: number, length: number, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(bytes)
  array.writeInt32BE(length === 0 ? 0 : 1, 0)
  array.writeInt32BE(1, 4)
  array.writeInt32BE(type, 8)
  if (length === 0) return array.subarray(0, 12)
  array.writeInt32BE(length, 12)
  array.writeInt32BE(1, 16)
  return array
}
