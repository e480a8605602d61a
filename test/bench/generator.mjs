// @ts-check
// The load: a process of its own that keeps K messages in flight and checks each delivery on each receiver.
import { connect } from 'node:net'
import { answerParent } from './child.mjs'
import { hireAgents, nodeOf, openRooms, senderOf } from './door.mjs'
import { Latencies, Ledger } from './ledger.mjs'
import { Leavers } from './resuming.mjs'
import { KEY_NUMBER, KEY_ROOM, KEY_START } from './triggers.mjs'
import { digitsAt, maskedFrame, patchDigits } from './wire.mjs'

const KEY = Buffer.from(KEY_START)
/** @param {number} room */
const messageKey = (room) =>
  `${KEY_START}${String(room).padStart(KEY_ROOM.digits, '0')}-4000-8000-${'0'.repeat(KEY_NUMBER.digits)}`
const SEQ = Buffer.from('"seq":')
const ACCEPTED = Buffer.from('"code":200')
const ACK_ID = { at: 2, digits: 7 }
const ACK_IDS = 9_000_000
const ACK = 51
const EVENT = 50
/** Without a single delivery for this long, what is missing is lost. */
const STALLED = 10_000

/**
 * @typedef {{ inFlight: number, messages: number, seconds: number, depth?: number }} Plan
 * @typedef {{ data: Buffer, from: number, to: number }} Packet
 * @typedef {import('./wire.mjs').Connection} Connection
 */

class Load {
  /** @type {import('./door.mjs').Room[]} */
  #rooms = []
  #members = 0
  #nodes = 1
  #ledger = new Ledger(0, 0)
  /**
   * One frame for each room, to be patched, and where its number is.
   * @type {{ frame: Buffer, number: typeof KEY_NUMBER }[]}
   */
  #frames = []
  /** To each node, once the servers speak by themselves. @type {import('node:net').Socket[]} */
  #triggers = []
  #pending = new Int32Array(0)
  #sentAt = new Float64Array(0)
  /** Rooms without a message in flight, the longest idle first. @type {number[]} */
  #idle = []
  #refused = 0
  #firstRefusal = ''
  #dead = ''
  #run = this.#begin({ inFlight: 0, messages: 0, seconds: 0 })

  /** @param {import('./door.mjs').Opening & { bytes: number }} the */
  async prepare({ bytes, ...opening }) {
    const started = performance.now()
    const { rooms, agents, urls } = opening
    this.#rooms = await openRooms(opening)
    const members = (this.#members = 1 + agents.length)
    this.#nodes = urls.length
    this.#ledger = new Ledger(rooms, members)
    this.#pending = new Int32Array(rooms)
    this.#sentAt = new Float64Array(rooms)
    this.#idle = this.#rooms.map((_, room) => room)
    this.#frames = this.#rooms.map((_, room) => this.#frameOf(room, bytes))
    this.#listenToAll()
    return {
      seconds: (performance.now() - started) / 1000,
      request: (this.#frames[0]?.frame.length ?? 0) - 8,
      ids: this.#rooms.map(({ id }) => id),
    }
  }

  /** From now on the servers are triggered to speak, and every member is a receiver. @param {{ ports: number[] }} the */
  async drive({ ports }) {
    this.#triggers = ports.map((port) => connect({ host: '127.0.0.1', port, noDelay: true }))
    for (const trigger of this.#triggers) trigger.on('error', ({ message }) => (this.#dead ||= `a trigger: ${message}`))
  }

  /** @param {Plan} plan */
  async run(plan) {
    const run = (this.#run = this.#begin(plan))
    const cpu = process.cpuUsage()
    this.#next()
    await this.#finished(run)
    const { user, system } = process.cpuUsage(cpu)
    const seconds = (run.last - run.started) / 1000
    const [p50, p99] = [0.5, 0.99].map((share) => run.latencies.percentile(share))
    const { sent, delivered, others } = run
    const arrival = run.arrivals ? run.arrivalBytes / run.arrivals : 0
    const ack = run.acks ? run.ackBytes / run.acks : 0
    const counts = { sent, delivered, others, stalled: run.rooms > 0 }
    return { ...counts, seconds, p50, p99, arrival, ack, busy: (user + system) / 1e6 }
  }

  /** The faults of all that was sent since the start, the warm-up included. */
  audit() {
    const { doubled, misordered, stray } = this.#ledger
    const pings = [...this.#connections()].reduce((sum, connection) => sum + connection.pings, 0)
    const faults = { lost: this.#ledger.lost(), doubled, misordered, stray, refused: this.#refused }
    return { faults, pings, firstRefusal: this.#firstRefusal, dead: this.#dead }
  }

  /** Of all rooms; they can be opened again. */
  close() {
    for (const connection of this.#connections()) connection.close()
    for (const trigger of this.#triggers) trigger.destroy()
  }

  #connections() {
    return new Set(this.#rooms.flatMap(({ members }) => members.map(({ connection }) => connection)))
  }

  /** @param {Plan} plan */
  #begin({ inFlight, messages, seconds, depth = 1 }) {
    const started = performance.now()
    const counts = { sent: 0, delivered: 0, others: 0, arrivals: 0, acks: 0, arrivalBytes: 0, ackBytes: 0 }
    const limits = { inFlight, messages, depth, started, deadline: started + seconds * 1000 }
    return { ...counts, ...limits, rooms: 0, last: started, latencies: new Latencies() }
  }

  /** @param {number} room */
  #sender(room) {
    return senderOf(this.#nodes, room)
  }

  /** @param {number} room @param {number} bytes */
  #frameOf(room, bytes) {
    const { id: conversationId, members } = /** @type {import('./door.mjs').Room} */ (this.#rooms[room])
    const messageId = messageKey(room)
    const text = 'All work and no play makes a dull gateway. '.repeat(Math.ceil(bytes / 40)).slice(0, bytes)
    const from = members[this.#sender(room)]?.from
    const message = { conversationId, type: 'ChatMessage', messageId, from, to: [], text, tag: '', attachments: [] }
    const payload = `42${ACK_IDS}${JSON.stringify(['sendMessage', message])}`
    const key = Buffer.from(payload).indexOf(KEY) + KEY.length
    return { frame: maskedFrame(payload), number: { at: key + KEY_NUMBER.at, digits: KEY_NUMBER.digits } }
  }

  /** A connection has the same place in all of its rooms; what names no room is counted where it has only one. */
  #listenToAll() {
    /** @type {Map<Connection, { rooms: number[], member: number }>} */
    const places = new Map()
    for (const [room, { members }] of this.#rooms.entries())
      for (const [member, { connection }] of members.entries()) {
        const place = places.get(connection) ?? { rooms: [], member }
        place.rooms.push(room)
        places.set(connection, place)
      }
    for (const [connection, { rooms, member }] of places) {
      const only = rooms.length === 1 ? rooms[0] : undefined
      connection.heard = (data, from, to) => this.#hear(connection, { member, only }, { data, from, to })
      connection.lost = (reason) => (this.#dead ||= `a connection was lost: ${reason}`)
    }
  }

  #next() {
    const run = this.#run
    while (run.rooms < run.inFlight && run.sent < run.messages) {
      const room = this.#idle.shift()
      if (room === undefined) return
      run.rooms++
      for (let i = 0; i < run.depth; i++) this.#send(room)
    }
  }

  /** @param {number} room */
  #send(room) {
    const value = this.#ledger.send(room)
    this.#run.sent++
    this.#pending[room] = (this.#pending[room] ?? 0) + this.#members
    this.#sentAt[room] = performance.now()
    if (this.#triggers.length > 0) return this.#trigger(room, value)
    const { frame, number } = /** @type {{ frame: Buffer, number: typeof KEY_NUMBER }} */ (this.#frames[room])
    patchDigits(frame, number, value)
    patchDigits(frame, ACK_ID, ACK_IDS + (value % 1_000_000))
    this.#rooms[room]?.members[this.#sender(room)]?.connection.write(Buffer.from(frame))
  }

  /** On the node where the sender sits. @param {number} room @param {number} number */
  #trigger(room, number) {
    const digits = String(room).padStart(KEY_ROOM.digits, '0') + String(number).padStart(KEY_NUMBER.digits, '0')
    this.#triggers[nodeOf(this.#nodes, room, this.#sender(room))]?.write(Buffer.from(digits, 'latin1'))
  }

  /**
   * The hot path: nothing is parsed, the key and the `seq` are looked for.
   * @param {Connection} connection @param {{ member: number, only: number | undefined }} place @param {Packet} packet
   */
  #hear(connection, { member, only }, { data, from, to }) {
    const kind = data[from + 1]
    if (kind !== ACK && kind !== EVENT) return void (this.#dead ||= `an odd packet: ${data.toString('utf8', from, to)}`)
    const key = find(data, KEY, from, to)
    if (key < 0) return this.#other(only === undefined ? undefined : only * this.#members + member, { data, from, to })
    const at = key + KEY.length
    const seqAt = find(data, SEQ, from, to)
    const room = digitsAt(data, at, at + KEY_ROOM.digits)
    if (this.#rooms[room]?.members[member]?.connection !== connection) return void this.#ledger.stray++
    if (kind === ACK && find(data, ACCEPTED, from, to) < 0) return this.#refuse(data.toString('utf8', from, to))
    const number = digitsAt(data, at + KEY_NUMBER.at, at + KEY_NUMBER.at + KEY_NUMBER.digits)
    const seq = seqAt < 0 ? 0 : digitsAt(data, seqAt + SEQ.length, to)
    if (!this.#ledger.hear(room * this.#members + member, number, seq)) return
    this.#count(kind, to - from)
    this.#delivered(room)
  }

  /**
   * Something else than a message of ours: a refusal, or an activity.
   * @param {number | undefined} receiver @param {Packet} packet
   */
  #other(receiver, { data, from, to }) {
    if (data[from + 1] === ACK) return this.#refuse(data.toString('utf8', from, to))
    this.#run.others++
    const seqAt = find(data, SEQ, from, to)
    if (seqAt >= 0 && receiver !== undefined) this.#ledger.other(receiver, digitsAt(data, seqAt + SEQ.length, to))
  }

  /** @param {string} text */
  #refuse(text) {
    this.#refused++
    this.#firstRefusal ||= text.slice(0, 300)
  }

  /** @param {number} kind @param {number} bytes */
  #count(kind, bytes) {
    const run = this.#run
    if (kind === ACK) {
      run.acks++
      run.ackBytes += bytes
    } else {
      run.arrivals++
      run.arrivalBytes += bytes
    }
  }

  /** @param {number} room */
  #delivered(room) {
    const run = this.#run
    run.last = performance.now()
    run.delivered++
    run.latencies.add(run.last - (this.#sentAt[room] ?? 0))
    const pending = (this.#pending[room] ?? 0) - 1
    this.#pending[room] = pending
    if (pending > 0) return
    run.rooms--
    this.#idle.push(room)
    if (run.last < run.deadline) this.#next()
  }

  /** @param {{ rooms: number, delivered: number }} run */
  async #finished(run) {
    let delivered = -1
    let since = performance.now()
    while (run.rooms > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (run.delivered !== delivered) since = performance.now()
      delivered = run.delivered
      if (this.#dead) throw new Error(this.#dead)
      if (performance.now() - since > STALLED) return
    }
  }
}

/** @param {Buffer} data @param {Buffer} what @param {number} from @param {number} to */
function find(data, what, from, to) {
  const at = data.indexOf(what, from)
  return at < to ? at : -1
}

const load = new Load()
const leavers = new Leavers()
answerParent(
  {
    hire: (body) => hireAgents(body),
    prepare: (body) => load.prepare(body),
    drive: (body) => load.drive(body),
    run: (body) => load.run(body),
    audit: () => load.audit(),
    close: () => load.close(),
    enter: (body) => leavers.enter(body),
    leave: () => leavers.leave(),
    connect: (body) => leavers.connect(body),
    resume: (body) => leavers.resume(body),
  },
  () => load.close(),
)
