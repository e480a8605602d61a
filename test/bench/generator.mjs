// @ts-check
// The load: a process of its own that keeps K messages in flight and checks each delivery on each receiver.
import { answerParent } from './child.mjs'
import { openRooms } from './door.mjs'
import { Latencies, Ledger, MEMBERS } from './ledger.mjs'
import { digitsAt, maskedFrame, patchDigits } from './wire.mjs'

/** The sender's key carries what is to be checked, in fixed width: the room, and the message's number in its room. */
const KEY = Buffer.from('be4c0000-')
const ROOM = { at: 0, digits: 4 }
const NUMBER = { at: 15, digits: 12 }
/** @param {number} room */
const messageKey = (room) =>
  `${KEY.toString()}${String(room).padStart(ROOM.digits, '0')}-4000-8000-${'0'.repeat(NUMBER.digits)}`
const SEQ = Buffer.from('"seq":')
const ACCEPTED = Buffer.from('"code":200')
const ACK_ID = { at: 2, digits: 7 }
const ACK_IDS = 9_000_000
const ACK = 51
const EVENT = 50
/** Without a single delivery for this long, what is missing is lost. */
const STALLED = 3_000

/**
 * @typedef {{ inFlight: number, messages: number, seconds: number, depth?: number }} Plan
 * @typedef {{ data: Buffer, from: number, to: number }} Packet
 */

class Load {
  /** @type {import('./door.mjs').Room[]} */
  #rooms = []
  #ledger = new Ledger(0)
  /**
   * One frame for each room, to be patched, and where its number is.
   * @type {{ frame: Buffer, number: typeof NUMBER }[]}
   */
  #frames = []
  #pending = new Int32Array(0)
  #sentAt = new Float64Array(0)
  /** Rooms without a message in flight, the longest idle first. @type {number[]} */
  #idle = []
  #refused = 0
  #firstRefusal = ''
  #dead = ''
  #run = this.#begin({ inFlight: 0, messages: 0, seconds: 0 })

  /** @param {{ url: string, door: string, rooms: number, bytes: number }} the */
  async prepare({ url, door, rooms, bytes }) {
    const started = performance.now()
    this.#rooms = await openRooms({ url, door, rooms })
    this.#ledger = new Ledger(rooms)
    this.#pending = new Int32Array(rooms)
    this.#sentAt = new Float64Array(rooms)
    this.#idle = this.#rooms.map((_, room) => room)
    this.#frames = this.#rooms.map((_, room) => this.#frameOf(room, bytes))
    this.#rooms.forEach(({ members }, room) => members.forEach((_, member) => this.#listen(room, member)))
    return { seconds: (performance.now() - started) / 1000, request: (this.#frames[0]?.frame.length ?? 0) - 8 }
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
    return {
      sent,
      delivered,
      others,
      stalled: run.rooms > 0,
      seconds,
      p50,
      p99,
      arrival,
      ack,
      busy: (user + system) / 1e6,
    }
  }

  /** The faults of all that was sent since the start, the warm-up included. */
  audit() {
    const { doubled, misordered, stray } = this.#ledger
    const members = this.#rooms.flatMap((room) => room.members)
    const pings = members.reduce((sum, { connection }) => sum + connection.pings, 0)
    const faults = { lost: this.#ledger.lost(), doubled, misordered, stray, refused: this.#refused }
    return { faults, pings, firstRefusal: this.#firstRefusal, dead: this.#dead }
  }

  close() {
    for (const { members } of this.#rooms) for (const { connection } of members) connection.close()
  }

  /** @param {Plan} plan */
  #begin({ inFlight, messages, seconds, depth = 1 }) {
    const started = performance.now()
    const counts = { sent: 0, delivered: 0, others: 0, arrivals: 0, acks: 0, arrivalBytes: 0, ackBytes: 0 }
    const limits = { inFlight, messages, depth, started, deadline: started + seconds * 1000 }
    return { ...counts, ...limits, rooms: 0, last: started, latencies: new Latencies() }
  }

  /** The customer speaks in the even rooms, an agent in the odd ones. @param {number} room */
  #sender(room) {
    return room % 2
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
    return { frame: maskedFrame(payload), number: { at: key + NUMBER.at, digits: NUMBER.digits } }
  }

  /** @param {number} room @param {number} member */
  #listen(room, member) {
    const connection = this.#rooms[room]?.members[member]?.connection
    if (!connection) throw new Error('A room has three members.')
    connection.heard = (data, from, to) => this.#hear(room, member, { data, from, to })
    connection.lost = (reason) => (this.#dead ||= `a connection was lost: ${reason}`)
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
    const { frame, number } = /** @type {{ frame: Buffer, number: typeof NUMBER }} */ (this.#frames[room])
    const value = this.#ledger.send(room)
    patchDigits(frame, number, value)
    patchDigits(frame, ACK_ID, ACK_IDS + (value % 1_000_000))
    this.#run.sent++
    this.#pending[room] = (this.#pending[room] ?? 0) + MEMBERS
    this.#sentAt[room] = performance.now()
    this.#rooms[room]?.members[this.#sender(room)]?.connection.write(Buffer.from(frame))
  }

  /**
   * The hot path: nothing is parsed, the key and the `seq` are looked for.
   * @param {number} room @param {number} member @param {Packet} packet
   */
  #hear(room, member, { data, from, to }) {
    const kind = data[from + 1]
    if (kind !== ACK && kind !== EVENT) return void (this.#dead ||= `an odd packet: ${data.toString('utf8', from, to)}`)
    const key = find(data, KEY, from, to)
    if (key < 0) return this.#other(room, member, { data, from, to })
    const at = key + KEY.length
    const seqAt = find(data, SEQ, from, to)
    const receiver = room * MEMBERS + member
    if (digitsAt(data, at, at + ROOM.digits) !== room) return void this.#ledger.stray++
    if (kind === ACK && find(data, ACCEPTED, from, to) < 0) return this.#refuse(data.toString('utf8', from, to))
    const number = digitsAt(data, at + NUMBER.at, at + NUMBER.at + NUMBER.digits)
    const seq = seqAt < 0 ? 0 : digitsAt(data, seqAt + SEQ.length, to)
    if (!this.#ledger.hear(receiver, number, seq)) return
    this.#count(kind, to - from)
    this.#delivered(room)
  }

  /**
   * Something else than a message of ours: a refusal, or an activity.
   * @param {number} room @param {number} member @param {Packet} packet
   */
  #other(room, member, { data, from, to }) {
    if (data[from + 1] === ACK) return this.#refuse(data.toString('utf8', from, to))
    this.#run.others++
    const seqAt = find(data, SEQ, from, to)
    if (seqAt >= 0) this.#ledger.other(room * MEMBERS + member, digitsAt(data, seqAt + SEQ.length, to))
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
answerParent({ prepare: (body) => load.prepare(body), run: (body) => load.run(body), audit: () => load.audit() }, () =>
  load.close(),
)
