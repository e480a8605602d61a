// Gives the memory that a file arrived in back as soon as it was written: left to the collector, a few dozen files would have the whole heap collected amid chats.
import { MessageChannel } from 'node:worker_threads'

/** What is handed over into a channel without a receiver is free at once. */
const nowhere = new MessageChannel()
nowhere.port1.unref()
nowhere.port2.close()

/** The chunks of a form that its file is in, for as long as somebody may look at them. */
export class Spent {
  readonly #chunks: { readonly chunk: Buffer; readonly end: number }[] = []
  #phase: 'before' | 'in' | 'behind' = 'before'
  #size = 0

  /** The next chunk of the form, right before it is read. */
  add(chunk: Buffer): void {
    if (this.#phase === 'behind') return
    if (this.#phase === 'before') {
      this.#chunks.length = 0
      this.#size = 0
    }
    this.#size += chunk.length
    this.#chunks.push({ chunk, end: this.#size })
  }
  /** The file begins, in the last chunk. */
  begin(): void {
    this.#phase = 'in'
  }
  /** Nothing of it is in the chunks that follow. */
  end(): void {
    this.#phase = 'behind'
  }
  /** So many bytes of the file are not looked at any more. Each stands in the chunks behind at least as many as before it in the file. */
  upTo(bytes: number): void {
    for (let first = this.#chunks[0]; first && first.end <= bytes; [first] = this.#chunks) {
      this.#chunks.shift()
      giveBack(first.chunk)
    }
  }
  /** The form was read to its end, and its file is not looked at any more. */
  all(): void {
    this.upTo(this.#size)
  }
}

/** A chunk that shares its memory is left to the collector. */
function giveBack({ buffer, length }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) nowhere.port1.postMessage(null, [buffer])
}
