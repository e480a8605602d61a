// @ts-check
// Goal 8: what a connection costs that has joined and says nothing, but the pings.
//
// Memory is what is in use after a collection: what is resident besides is mostly the young generation, which grows by the
// garbage of connecting and not by connections. It is told, too.
import { median } from './report.mjs'
import { Side } from './side.mjs'

const SPECS = [
  { name: 'ours', file: './ours.mjs', env: { BENCH_GRACE: '1s' } },
  { name: 'stock', file: './peers/stock.mjs' },
]
/** Connections that come and go before the first measuring, so that what a server keeps for all of them is there. */
const BEFORE = 500
/** Milliseconds until the servers are through with those: ours keeps their places for a while, and writes it down when it gives them up. */
const FORGOTTEN_AFTER = 5_000
/** @typedef {Record<'memory' | 'resident' | 'cpu', Record<string, number>>} Figures by side, for a connection */

/** Both ping every 25 s, which is Socket.IO's own interval. */
const PING_SECONDS = 25

/**
 * @param {import('./side.mjs').Surroundings} around @param {{ connections: number, repeats: number, seconds: number }} plan
 *   `seconds` of idleness; less than one interval of pings: CPU is not measured
 */
export async function measureIdle(around, { connections, repeats, seconds }) {
  /** @type {Figures[]} */
  const done = []
  /** @type {Record<string, string>} */
  let settings = {}
  let lost = 0
  for (let repeat = 0; repeat < repeats; repeat++) {
    const sides = SPECS.map((spec) => new Side(spec, around))
    try {
      const memory = /** @type {Record<string, number>} */ ({})
      const resident = /** @type {Record<string, number>} */ ({})
      for (const [i, side] of sides.entries()) {
        const { name = '' } = SPECS[i] ?? {}
        const filled = await fill(side, connections)
        memory[name] = filled.live
        resident[name] = filled.resident
      }
      const cpu = seconds >= PING_SECONDS ? await idle(sides, { connections, seconds }) : { ours: NaN, stock: NaN }
      for (const side of sides) lost += (await side.audit()).dead ? 1 : 0
      done.push({ memory, resident, cpu })
      settings = Object.fromEntries(sides.map((side, i) => [SPECS[i]?.name ?? '', side.settings]))
      console.log(
        `  ${repeat + 1}/${repeats} ${told(memory, 'B')}; resident ${told(resident, 'B')}; ${told(cpu, 'µs/s')}`,
      )
    } finally {
      for (const side of sides) await side.end()
    }
  }
  return { settings, results: [judge('memory', done, lost), judge('cpu', done, lost)] }
}

/** @param {Side} side @param {number} connections @returns {Promise<{ live: number, resident: number }>} bytes for each of them */
async function fill(side, connections) {
  await side.start()
  const node = /** @type {import('./child.mjs').Child} */ (side.nodes[0])
  const opening = { urls: side.urls, door: side.door, agents: [], shared: false, bytes: 120 }
  await side.generator.ask('prepare', { ...opening, rooms: BEFORE }, 120)
  await side.generator.ask('close')
  await new Promise((resolve) => setTimeout(resolve, FORGOTTEN_AFTER))
  const before = await node.ask('memory')
  await side.generator.ask('prepare', { ...opening, rooms: connections }, 240)
  const after = await node.ask('memory')
  return {
    live: (after.live - before.live) / connections,
    resident: (after.resident - before.resident) / connections,
  }
}

/**
 * Both are idle at once: neither is in the other's way.
 * @param {Side[]} sides @param {{ connections: number, seconds: number }} plan
 */
async function idle(sides, { connections, seconds }) {
  const cpus = () => Promise.all(sides.map((side) => side.nodes[0]?.ask('cpu')))
  const before = await cpus()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const after = await cpus()
  return Object.fromEntries(sides.map((_, i) => [SPECS[i]?.name ?? '', (after[i] - before[i]) / connections / seconds]))
}

/** @param {Record<string, number>} figures @param {string} unit */
const told = (figures, unit) =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${Number.isNaN(value) ? '—' : value.toFixed(unit === 'B' ? 0 : 2)} ${unit}`)
    .join(', ')

/**
 * @param {'memory' | 'cpu'} what @param {Figures[]} done
 * @param {number} lost connections @returns {import('./report.mjs').Result}
 */
function judge(what, done, lost) {
  const of = (/** @type {string} */ name, /** @type {keyof Figures} */ part = what) =>
    done.map((figures) => figures[part][name] ?? NaN)
  const [ours, stock] = [of('ours'), of('stock')]
  const both = (/** @type {keyof Figures} */ part, digits = 0) =>
    ['ours', 'stock'].map((name) => median(of(name, part)).toFixed(digits)).join(' and ')
  const cpu = Number.isNaN(ours[0]) ? '' : `${both('cpu', 2)} µs a second and connection`
  const memory = `${both('memory')} B a connection, resident ${both('resident')} B`
  return {
    goal: 8,
    what: `idle connection: ${what === 'memory' ? 'memory' : 'CPU'}`,
    at: '',
    against: 'stock',
    ratio: median(ours.map((value, i) => value / (stock[i] ?? NaN))),
    limit: 1,
    isFloor: false,
    isVoid: lost > 0,
    figures: what === 'memory' ? memory : cpu,
  }
}
