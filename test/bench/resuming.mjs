// @ts-check
// Clients that lose their connection, miss something, and resume: each must hear exactly what it missed, in order.
import { openRooms } from './door.mjs'
import { Connection } from './wire.mjs'

const WITHIN = 20_000

/** One client, and what it knows of its place. */
class Leaver {
  seq = 0
  /** What it heard since it came back. @type {number[]} */
  heard = []
  /** What Socket.IO's own recovery wants to be told. @type {{ pid: string, offset: string } | undefined} */
  session
  /** @type {() => void} */
  onHeard = () => {}
  #room
  #connection

  /** @param {import('./door.mjs').Room} room */
  constructor(room) {
    this.#room = room
    this.#connection = /** @type {Connection} */ (room.members[0]?.connection)
    this.#listen(this.#connection)
  }

  get id() {
    return this.#room.id
  }

  async leave() {
    await this.#until(() => this.heard.length > 0)
    this.heard = []
    this.#connection.close()
  }

  /** @param {string} url @param {number} missing how many messages */
  async resume(url, missing) {
    const { id, token, members } = this.#room
    const before = this.seq
    this.#connection = new Connection(new URL(url), this.session)
    this.#listen(this.#connection)
    await this.#connection.opened()
    const body = { conversationId: id, ...members[0]?.from, token, after: before }
    if (!this.session) await this.#connection.call('joinConversation', body)
    await this.#until(() => this.heard.length >= missing)
    return {
      lost: missing - new Set(this.heard).size,
      doubled: this.heard.length - new Set(this.heard).size,
      misordered: this.heard.filter((seq, i) => seq !== before + i + 1).length,
    }
  }

  close() {
    this.#connection.close()
  }

  /** @param {Connection} connection */
  #listen(connection) {
    connection.heard = null
    connection.told = (event, body, offset) => {
      if (event === 'conversationInfo') for (const message of body.messages) this.#hear(message)
      if (event === 'messageArrived') this.#hear(body)
      const { pid } = connection.session ?? {}
      if (pid && offset) this.session = { pid, offset }
    }
  }
  /** @param {{ type: string, seq?: number }} message */
  #hear({ type, seq = 0 }) {
    this.seq = Math.max(this.seq, seq)
    if (type !== 'ChatMessage') return
    this.heard.push(seq)
    this.onHeard()
  }
  /** @param {() => boolean} isEnough */
  async #until(isEnough) {
    if (isEnough()) return
    await new Promise((resolve) => {
      const late = setTimeout(() => resolve(undefined), WITHIN)
      this.onHeard = () => {
        if (!isEnough()) return
        clearTimeout(late)
        resolve(undefined)
      }
    })
  }
}

export class Leavers {
  /** @type {Leaver[]} */
  #all = []

  /** @param {{ url: string, door: string, clients: number }} the */
  async enter({ url, door, clients }) {
    const rooms = await openRooms({ urls: [url], door, rooms: clients, agents: [], shared: false })
    this.#all = rooms.map((room) => new Leaver(room))
    return this.#all.map(({ id }) => id)
  }
  /** When each has heard something. */
  async leave() {
    for (const one of this.#all) await one.leave()
  }
  /** Connects and leaves as one who has nothing to resume. @param {{ url: string, times: number }} the */
  async connect({ url, times }) {
    for (let i = 0; i < times; i++) {
      const connection = new Connection(new URL(url))
      await connection.opened()
      connection.close()
    }
  }
  /** One after another. @param {{ url: string, missing: number }} the */
  async resume({ url, missing }) {
    const faults = { lost: 0, doubled: 0, misordered: 0, stray: 0, refused: 0 }
    for (const one of this.#all) {
      const { lost, doubled, misordered } = await one.resume(url, missing)
      faults.lost += lost
      faults.doubled += doubled
      faults.misordered += misordered
    }
    return faults
  }
  close() {
    for (const one of this.#all) one.close()
  }
}
