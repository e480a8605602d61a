// The process that makes PDFs: shaping a long conversation holds up nobody's socket.
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { onDuty } from '../aside/on-duty'
import { GatewayError } from '../model/errors'
import { hashOf } from './canonical'
import { FontShelf } from './font-shelf'
import { Typesetter } from './paragraph'
import { writePdf } from './pdf-form'
import type { Picture } from './pictures'
import { WINDOW, type FromPress, type Manner, type Subject, type ToPress } from './press-protocol'
import type { StaffEntry, Transcript } from './transcript'
import { builderFor, type Builder } from './transcript-builder'
import { Wording } from './wording'

const CHUNK = 64 * 1024
/** How long it works without hearing whether anybody is there still. */
const DEAF_MS = 100
/** How long it works before it rests, if it rests at all. */
const STINT_MS = 4
/** At a time, however much it did before: at first it opens fonts. */
const LONGEST_REST_MS = 100
/** Of one document, all in all: its time is limited. */
const MOST_REST_MS = 15_000

class Printer {
  readonly #say: (message: FromPress) => void
  readonly #typesetter: Typesetter
  #builder: Builder<Transcript> | null = null
  #entries: StaffEntry[] = []
  #room = WINDOW
  #crumbs: Uint8Array[] = []
  #held = 0
  #heardAt = 0
  /** How many times as long as it worked it rests. */
  #rest = 0
  #rested = 0
  #stintBegan = process.cpuUsage()
  #onRoom: (() => void) | null = null
  #onPicture: ((picture: Picture | null) => void) | null = null

  constructor({ fontsDir }: { fontsDir: string }) {
    this.#typesetter = new Typesetter(new FontShelf({ folder: fontsDir }))
    this.#say = onDuty((message) => this.#hear(message as ToPress)) // the two ends share the types
  }

  #hear(message: ToPress): void {
    switch (message.do) {
      case 'begin':
        this.#rest = message.rest
        this.#rested = 0
        this.#stintBegan = process.cpuUsage()
        this.#begin(message.subject)
        return
      case 'entries':
        this.#entries.push(...message.entries)
        return
      case 'events':
        for (const stored of message.events) this.#builder?.hear(stored)
        return
      case 'print':
        void this.#print(message.manner)
        return
      case 'picture':
        this.#onPicture?.(message.picture)
        return
      case 'taken':
        this.#room += message.bytes
        if (this.#room > 0) this.#onRoom?.()
    }
  }
  #begin(subject: Subject): void {
    this.#entries = []
    this.#builder =
      'transcript' in subject
        ? // The two ends share the audience of all entries.
          { hear: () => undefined, transcript: () => ({ ...subject.transcript, entries: this.#entries }) as Transcript }
        : builderFor(subject.conversation, subject.audience)
  }
  async #print({ language, timeZone }: Manner): Promise<void> {
    this.#room = WINDOW
    this.#crumbs = []
    this.#held = 0
    try {
      const transcript = this.#take()
      const hash = await hashOf(transcript)
      this.#say({ is: 'hash', hash })
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
    } finally {
      this.#typesetter.forget()
    }
  }
  /** Nothing of it stays when it is printed. */
  #take(): Transcript {
    const builder = this.#builder
    if (!builder) throw new Error('There is nothing to print')
    const transcript = builder.transcript()
    this.#builder = null
    this.#entries = []
    return transcript
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
    this.#say({ is: 'chunk', chunk })
  }
  async #ready(): Promise<void> {
    if (this.#rest > 0 && this.#rested < MOST_REST_MS) await this.#leaveRoom()
    if (performance.now() - this.#heardAt > DEAF_MS) {
      await nextTurn()
      this.#heardAt = performance.now()
    }
    if (this.#room > 0) return
    await new Promise<void>((resolve) => (this.#onRoom = resolve))
    this.#onRoom = null
  }
  async #leaveRoom(): Promise<void> {
    const { user, system } = process.cpuUsage(this.#stintBegan)
    const worked = (user + system) / 1_000
    if (worked < STINT_MS) return
    const rest = Math.min(worked * this.#rest, LONGEST_REST_MS)
    this.#rested += rest
    await sleep(rest)
    this.#heardAt = performance.now()
    this.#stintBegan = process.cpuUsage()
  }
  #ask(question: FromPress): Promise<Picture | null> {
    return new Promise((resolve) => {
      this.#onPicture = resolve
      this.#say(question)
    })
  }
}

new Printer({ fontsDir: process.argv[2] ?? '' })
