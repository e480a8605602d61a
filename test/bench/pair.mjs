// @ts-check
// One pair of fresh servers, each with a generator of its own, measured in turns: A B A B.
import { cpus } from 'node:os'
import { Child } from './child.mjs'

const SLICES = 5
const BURST = 5
/** A side's slices end, together, after so many messages or after these seconds. */
const MESSAGES = (/** @type {number} */ inFlight) => Math.min(24_000, 2_000 * inFlight)
/** What `npm start` gives our server; stock gets it too. */
export const SERVER_FLAGS = ['--max-semi-space-size=64']

export const WINDOW_SECONDS = 1.75
const WARM_MESSAGES = 10_000
const WARM_SECONDS = 2

/** @typedef {{ file: string, core?: number, generatorCore?: number, env: Record<string, string> }} SideOptions */
/** @typedef {{ rooms: number, bytes: number, inFlight: number, share: number }} Plan */
/** @typedef {import('./report.mjs').Figures} Figures */

/** What is running now, to be killed when the run is broken off. @type {Set<Child>} */
export const children = new Set()

const pause = (/** @type {number} */ milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A server and its generator. */
class Side {
  settings = ''
  #server
  #generator
  #request = 0

  /** @param {SideOptions} options */
  constructor({ file, core, generatorCore, env }) {
    this.#server = new Child(file, { core, env, flags: SERVER_FLAGS })
    this.#generator = new Child('./generator.mjs', { core: generatorCore, env })
    children.add(this.#server).add(this.#generator)
  }

  /** @param {Plan} plan */
  async prepare({ rooms, bytes, share }) {
    const { url, door, settings } = await this.#server.ask('start')
    this.settings = settings
    this.#request = (await this.#generator.ask('prepare', { url, door, rooms, bytes }, 90)).request
    const run = (/** @type {object} */ plan) => this.#generator.ask('run', plan)
    await run({ inFlight: rooms, messages: Math.ceil(WARM_MESSAGES * share), seconds: WARM_SECONDS })
    await run({ inFlight: rooms, messages: rooms * BURST, seconds: WARM_SECONDS, depth: BURST })
  }

  /** @param {Plan} plan @returns {Promise<Figures>} */
  async slice({ inFlight, share }) {
    await pause(50)
    const machine = machineBusy()
    const before = await this.#server.ask('cpu')
    const messages = Math.ceil((MESSAGES(inFlight) * share) / SLICES)
    const run = await this.#generator.ask('run', { inFlight, messages, seconds: WINDOW_SECONDS / SLICES })
    await pause(50) // what a server puts off is its cost, too
    const after = await this.#server.ask('cpu')
    const cpu = (after - before) / 1e6
    const strangers = machineBusy() - machine - cpu - run.busy
    return {
      ...run,
      request: this.#request,
      cost: (cpu * 1e6) / run.delivered,
      rate: run.delivered / run.seconds,
      server: cpu / run.seconds,
      generator: run.busy / run.seconds,
      strangers: Math.max(0, strangers / (run.seconds + 0.05)),
    }
  }

  /** @returns {Promise<import('./report.mjs').Audit>} */
  audit() {
    return this.#generator.ask('audit')
  }

  async end() {
    for (const child of [this.#generator, this.#server]) {
      await child.end()
      children.delete(child)
    }
  }
}

/** Seconds that all processors have been busy with anything. */
function machineBusy() {
  return cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000
}

/**
 * @param {{ ours: SideOptions, stock: SideOptions }} options @param {Plan} plan
 * @returns {Promise<import('./report.mjs').Repeat>}
 */
export async function measurePair(options, plan) {
  /** @type {Side[]} */
  const sides = []
  try {
    for (const side of [options.ours, options.stock]) {
      sides.push(new Side(side))
      await sides.at(-1)?.prepare(plan)
    }
    const [ours, stock] = /** @type {[Side, Side]} */ (sides)
    /** @type {import('./report.mjs').Repeat['slices']} */
    const slices = []
    for (let i = -1; i < SLICES; i++) {
      const slice = { ours: await ours.slice(plan), stock: await stock.slice(plan) }
      const stalled = slice.ours.stalled || slice.stock.stalled
      // In the first turn ours has just rested while stock was warmed up: they are no neighbours.
      if (i >= 0 || stalled) slices.push(slice)
      if (stalled) break
    }
    const audits = { ours: await ours.audit(), stock: await stock.audit() }
    return { inFlight: plan.inFlight, slices, audits, settings: { ours: ours.settings, stock: stock.settings } }
  } finally {
    for (const side of sides) await side.end()
  }
}
