// Measures bytes on their way: how many, their digest, and no more than there may be.
import { createHash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { GatewayError } from '../model/errors'
import type { Written } from './vault'

export class Measure extends Transform {
  readonly #hash = createHash('sha256')
  readonly #maxBytes: number
  #size = 0

  constructor(maxBytes: number) {
    super()
    this.#maxBytes = maxBytes
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#size += chunk.length
    if (this.#size > this.#maxBytes) {
      done(tooLarge(this.#maxBytes))
      return
    }
    this.#hash.update(chunk)
    done(null, chunk)
  }
  /** Once, after the last byte. */
  result(): Written {
    return { size: this.#size, sha256: this.#hash.digest('hex') }
  }
}

export const tooLarge = (maxBytes: number): GatewayError =>
  new GatewayError('tooLarge', `The file is too large. Send one of at most ${maxBytes} bytes.`)
