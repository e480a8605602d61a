// The thread that makes PDFs: shaping a long conversation holds up nobody's socket.
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { GatewayError } from '../model/errors'
import { FontShelf } from './font-shelf'
import { Typesetter } from './paragraph'
import { writePdf } from './pdf-form'
import type { Picture } from './pictures'
import { WINDOW, type FromPress, type Order, type PressData, type ToPress } from './press-protocol'
import { Wording } from './wording'

const CHUNK = 64 * 1024

class Printer {
  readonly #port: MessagePort
  readonly #typesetter: Typesetter
  #room = WINDOW
  #crumbs: Uint8Array[] = []
  #held = 0
  #onRoom: (() => void) | null = null
  #onPicture: ((picture: Picture | null) => void) | null = null

  constructor(port: MessagePort, { fontsDir }: PressData) {
    this.#port = port
    this.#typesetter = new Typesetter(new FontShelf({ folder: fontsDir }))
    port.on('message', (message: ToPress) => this.#hear(message))
  }

  #hear(message: ToPress): void {
    switch (message.do) {
      case 'print':
        void this.#print(message.order)
        return
      case 'picture':
        this.#onPicture?.(message.picture)
        return
      case 'taken':
        this.#room += message.bytes
        if (this.#room > 0) this.#onRoom?.()
    }
  }
  async #print({ transcript, language, timeZone, hash }: Order): Promise<void> {
    this.#room = WINDOW
    this.#crumbs = []
    this.#held = 0
    try {
      await writePdf({
        transcript,
        hash,
        wording: new Wording({ language, timeZone }),
        typesetter: this.#typesetter,
        pictureOf: (attachment) => this.#ask({ is: 'wanted', attachment }),
        write: (chunk) => this.#write(chunk),
        ready: () => this.#ready(),
      })
      this.#flush()
      this.#say({ is: 'done' })
    } catch (cause) {
      const code = cause instanceof GatewayError ? cause.code : 'internal'
      // Of a fault of ours only the kind: its words may hold somebody's.
      this.#say({ is: 'failed', code, message: cause instanceof Error ? cause.name : 'Error' })
    }
  }
  /** The file comes in crumbs: a message for each would cost more than the file. */
  #write(bytes: Uint8Array): void {
    this.#crumbs.push(bytes)
    this.#held += bytes.byteLength
    if (this.#held >= CHUNK) this.#flush()
  }
  #flush(): void {
    if (this.#held === 0) return
    const chunk = new Uint8Array(this.#held)
    let at = 0
    for (const crumb of this.#crumbs) {
      chunk.set(crumb, at)
      at += crumb.byteLength
    }
    this.#crumbs = []
    this.#held = 0
    this.#room -= chunk.byteLength
    this.#port.postMessage({ is: 'chunk', chunk } satisfies FromPress, [chunk.buffer])
  }
  async #ready(): Promise<void> {
    if (this.#room > 0) return
    await new Promise<void>((resolve) => (this.#onRoom = resolve))
    this.#onRoom = null
  }
  #ask(question: FromPress): Promise<Picture | null> {
    return new Promise((resolve) => {
      this.#onPicture = resolve
      this.#say(question)
    })
  }
  #say(message: FromPress): void {
    this.#port.postMessage(message)
  }
}

/** Whoever waits for a document has time; whoever chats has none. Where threads have no priority of their own, all are equal. */
function giveWay(): void {
  try {
    const [, thread] = /^\d+\/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self')) ?? []
    if (thread !== undefined) setPriority(Number(thread), constants.priority.PRIORITY_LOW)
  } catch {
    // No Linux, or not allowed.
  }
}

if (parentPort) {
  giveWay()
  new Printer(parentPort, workerData as PressData)
}
