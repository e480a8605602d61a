// @ts-check
// One side of a comparison: its nodes, its own Redis and Postgres where it has them, and its own generator.
import { cpus } from 'node:os'
import { Child } from './child.mjs'
import { startPostgres, startRedis } from './daemons.mjs'
import { nodeOf, senderOf } from './door.mjs'
import { START_FLAGS } from './start-flags.mjs'

const BURST = 5
/** What `npm start` gives our server; the peers get it too. */
export const SERVER_FLAGS = [...START_FLAGS, '--expose-gc']

/** For each node. */
const WARM_MESSAGES = 10_000
const WARM_SECONDS = 10

/**
 * @typedef {{ name: string, file: string, nodes?: number, redis?: boolean, postgres?: boolean,
 *   env?: Record<string, string> }} SideSpec
 * @typedef {{ env: Record<string, string>, cores?: { server: number, generator: number } | undefined }} Surroundings
 * @typedef {{ rooms: number, members: number, bytes: number, shared?: boolean, driven?: boolean }} Load `driven`: the
 *   servers are triggered to speak, instead of being sent messages
 * @typedef {{ inFlight: number, messages: number, seconds: number }} Slice
 * @typedef {{ nodes: number, redis: number, postgres: number }} Cpu in µs
 * @typedef {{ cost: number, parts: Cpu, cpu: Cpu, delivered: number, rate: number, p50: number, p99: number,
 *   server: number, generator: number, strangers: number, stalled: boolean, others: number, request: number,
 *   arrival: number, ack: number }} Figures of one slice; `cost` and `parts` are µs a delivery
 * @typedef {{ lost: number, doubled: number, misordered: number, stray: number, refused: number }} Faults
 * @typedef {{ faults: Faults, pings: number, firstRefusal: string, dead: string }} Audit of a generator's whole life
 */

/** What is running now, to be ended when the run is broken off. @type {Set<Side>} */
export const running = new Set()

const pause = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

export class Side {
  settings = ''
  door = ''
  /** @type {string[]} */
  urls = []
  /** @type {Child[]} */
  nodes = []
  /** @type {Child} */
  generator
  #spec
  #around
  #request = 0
  /** @type {import('./door.mjs').Agent[]} */
  #agents = []
  /** @type {Partial<Record<'redis' | 'postgres', import('./daemons.mjs').Daemon>>} */
  #daemons = {}

  /** @param {SideSpec} spec @param {Surroundings} around */
  constructor(spec, around) {
    this.#spec = spec
    this.#around = around
    this.generator = new Child('./generator.mjs', { core: around.cores?.generator, env: around.env })
    running.add(this)
  }

  /** Its servers. @param {number} [members] of each room */
  async start(members = 1) {
    const { redis, postgres, file, env, nodes = 1 } = this.#spec
    if (redis) this.#daemons.redis = await startRedis()
    if (postgres) this.#daemons.postgres = await startPostgres()
    const own = {
      ...this.#around.env,
      ...env,
      ...(this.#daemons.redis && { BENCH_REDIS: this.#daemons.redis.url }),
      ...(this.#daemons.postgres && { BENCH_POSTGRES: this.#daemons.postgres.url }),
    }
    const core = this.#around.cores?.server
    const open = () => this.nodes.push(new Child(file, { core, env: own, flags: SERVER_FLAGS }))
    open()
    const first = await this.nodes[0]?.ask('start')
    this.#agents = await this.generator.ask('hire', { url: first.url, door: first.door, count: members - 1 })
    // The first one has made the tables and the accounts.
    for (let i = 1; i < nodes; i++) open()
    const answers = [first, ...(await Promise.all(this.nodes.slice(1).map((node) => node.ask('start'))))]
    this.urls = answers.map(({ url }) => url)
    this.door = first.door
    this.settings = first.settings
  }

  /** Rooms are opened, and everything has been done often enough to be compiled. @param {Load} load @param {number} share */
  async prepare({ rooms, members, bytes, shared = false, driven = false }, share) {
    await this.start(members)
    const opening = { urls: this.urls, door: this.door, rooms, agents: this.#agents, shared, bytes }
    const { request, ids } = await this.generator.ask('prepare', opening, 300)
    this.#request = request
    const run = (/** @type {object} */ plan) => this.generator.ask('run', plan)
    await run({ inFlight: Math.min(rooms, 200), messages: rooms, seconds: 60 })
    if (driven) await this.#drive(ids)
    // A socket that is shared has all that its agent says under way at once, and that is limited.
    const inFlight = Math.min(rooms, shared ? 200 : 400)
    const { length } = this.nodes
    const messages = Math.ceil(WARM_MESSAGES * share) * length
    await run({ inFlight, messages, seconds: Math.max(WARM_SECONDS, length) })
    await run({ inFlight, messages: inFlight * BURST, seconds: WARM_SECONDS, depth: BURST })
  }

  /** @param {string[]} ids */
  async #drive(ids) {
    const ports = this.nodes.map((node, index) => {
      const { length } = this.nodes
      const speaksHere = (/** @type {number} */ room) => nodeOf(length, room, senderOf(length, room)) === index
      const here = ids.flatMap((id, room) => (speaksHere(room) ? [[room, id]] : []))
      return node.ask('drive', { ids: Object.fromEntries(here) })
    })
    await this.generator.ask('drive', { ports: await Promise.all(ports) })
  }

  /** @param {Slice} slice @returns {Promise<Figures>} */
  async slice({ inFlight, messages, seconds }) {
    await pause(50)
    const machine = machineBusy()
    const before = await this.#cpu()
    const run = await this.generator.ask('run', { inFlight, messages, seconds })
    await pause(50) // what a server puts off is its cost, too
    const after = await this.#cpu()
    const cpu = {
      nodes: after.nodes - before.nodes,
      redis: after.redis - before.redis,
      postgres: after.postgres - before.postgres,
    }
    const total = cpu.nodes + cpu.redis + cpu.postgres
    const strangers = machineBusy() - machine - total / 1e6 - run.busy
    const { delivered } = run
    return {
      ...run,
      cpu,
      request: this.#request,
      cost: total / delivered,
      parts: { nodes: cpu.nodes / delivered, redis: cpu.redis / delivered, postgres: cpu.postgres / delivered },
      rate: delivered / run.seconds,
      server: total / 1e6 / run.seconds,
      generator: run.busy / run.seconds,
      strangers: Math.max(0, strangers / (run.seconds + 0.05)),
    }
  }

  /** Of the nodes to the µs, as they say; of Redis and Postgres to the tick. @returns {Promise<Cpu>} */
  async #cpu() {
    const nodes = await Promise.all(this.nodes.map((node) => node.ask('cpu')))
    const { redis, postgres } = this.#daemons
    return { nodes: nodes.reduce((sum, one) => sum + one, 0), redis: redis?.cpu() ?? 0, postgres: postgres?.cpu() ?? 0 }
  }

  /** @returns {Promise<Audit>} */
  audit() {
    return this.generator.ask('audit')
  }

  async end() {
    await this.generator.end()
    await Promise.all(this.nodes.map((node) => node.end()))
    for (const daemon of Object.values(this.#daemons)) await daemon.close()
    running.delete(this)
  }
  /** Without asking. */
  kill() {
    for (const child of [this.generator, ...this.nodes]) child.kill()
    return Promise.all(Object.values(this.#daemons).map((daemon) => daemon.close()))
  }
}

/** Seconds that all processors have been busy with anything. */
function machineBusy() {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000
}
