// @ts-check
// Measures all sides of a scenario in turns: fresh processes for each repeat, and short slices, A B A B, within it.
import { Side } from './side.mjs'

/**
 * @typedef {import('./side.mjs').Figures} Figures
 * @typedef {{ title: string, sides: import('./side.mjs').SideSpec[], load: import('./side.mjs').Load, ks: number[],
 *   perNode?: boolean, slices: number, seconds: number, isPinned?: boolean, goals: import('./goals.mjs').Goal[] }} Scenario
 *   `perNode`: K is for each node
 * @typedef {{ inFlight: number, sides: Record<string, Figures> }} Turn
 * @typedef {{ turns: Turn[], audits: Record<string, import('./side.mjs').Audit>, settings: Record<string, string> }} Repeat
 */

/** A slice ends after so many messages or after its seconds. */
const MESSAGES = (/** @type {number} */ inFlight, /** @type {number} */ seconds) =>
  Math.ceil(Math.min(14_000, 1_200 * inFlight) * seconds)

/**
 * @param {Scenario} scenario @param {import('./side.mjs').Surroundings} around @param {number} share of the full length
 * @returns {Promise<Repeat>}
 */
export async function measureTurns(scenario, around, share) {
  /** @type {Side[]} */
  const sides = []
  try {
    for (const spec of scenario.sides) {
      const side = new Side(spec, scenario.isPinned ? around : { env: around.env })
      sides.push(side)
      await side.prepare(scenario.load, share)
    }
    /** @type {Turn[]} */
    const turns = []
    for (const inFlight of scenario.ks) turns.push(...(await measureK(scenario, sides, { inFlight, share })))
    /** @type {Repeat} */
    const repeat = { turns, audits: {}, settings: {} }
    for (const [i, { name }] of scenario.sides.entries()) {
      const side = /** @type {Side} */ (sides[i])
      repeat.audits[name] = await side.audit()
      repeat.settings[name] = side.settings
    }
    return repeat
  } finally {
    for (const side of sides) await side.end()
  }
}

/** @param {Scenario} scenario @param {Side[]} sides @param {{ inFlight: number, share: number }} plan */
async function measureK({ sides: specs, slices, seconds, perNode }, sides, { inFlight, share }) {
  /** @type {Turn[]} */
  const turns = []
  const count = Math.max(2, Math.round(slices * share))
  for (let i = -1; i < count; i++) {
    /** @type {Turn} */
    const turn = { inFlight, sides: {} }
    for (const [index, { name, nodes = 1 }] of specs.entries()) {
      const k = perNode ? inFlight * nodes : inFlight
      // In the first turn one side has just rested while another was warmed up: they are no neighbours.
      const length = i < 0 ? seconds / 2 : seconds
      const slice = { inFlight: k, messages: MESSAGES(k, length), seconds: length }
      turn.sides[name] = await /** @type {Side} */ (sides[index]).slice(slice)
    }
    const stalled = Object.values(turn.sides).some((figures) => figures.stalled)
    if (i >= 0 || stalled) turns.push(turn)
    if (stalled) break
  }
  return turns
}
