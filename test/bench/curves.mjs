// @ts-check
// Curves instead of points: what a delivery costs as one thing grows and the rest stays.
import { adapter, CLUSTER, OURS, STOCK } from './goals.mjs'
import { aligned, isVoid, line, median } from './report.mjs'
import { measureTurns } from './turns.mjs'

/**
 * @typedef {{ title: string, along: string, series: Record<string, { x: string, cost: number }[]>, isVoid: boolean,
 *   settings: Record<string, string> }} Curve
 * @typedef {{ x: string, change: Partial<import('./turns.mjs').Scenario> & { load?: Partial<import('./side.mjs').Load> } }} Point
 */

const K = 64
/** @type {import('./turns.mjs').Scenario} */
const ONE_NODE = {
  title: '',
  sides: [OURS, STOCK],
  load: { rooms: 200, members: 3, bytes: 120 },
  ks: [K],
  slices: 5,
  seconds: 0.35,
  isPinned: true,
  goals: [],
}
/** @type {import('./turns.mjs').Scenario} */
const NODES = {
  ...ONE_NODE,
  load: { rooms: 200, members: 2, bytes: 120, driven: true },
  slices: 3,
  seconds: 1,
  perNode: true,
  isPinned: false,
}
const onNodes = (/** @type {number} */ nodes) => [
  { ...CLUSTER, name: 'ours', nodes },
  { ...adapter('sharded'), nodes },
  { ...adapter('streams'), nodes },
]

/** @type {{ title: string, along: string, base: import('./turns.mjs').Scenario, points: Point[] }[]} */
const CURVES = [
  {
    title: 'Messages in flight, one node, ours durable',
    along: 'K',
    base: ONE_NODE,
    points: [4, 16, 64, 200].map((k) => ({ x: String(k), change: { ks: [k] } })),
  },
  {
    title: `Rooms that share the sockets of two agents, one node, ours durable, K=${K}`,
    along: 'rooms',
    base: ONE_NODE,
    points: [100, 1_000, 10_000].map((rooms) => ({
      x: rooms.toLocaleString('en'),
      change: { load: { ...ONE_NODE.load, rooms, shared: true } },
    })),
  },
  {
    title: `Members of a room, one node, ours durable, K=${K}`,
    along: 'members',
    base: ONE_NODE,
    points: [2, 3, 5].map((members) => ({ x: String(members), change: { load: { ...ONE_NODE.load, members } } })),
  },
  {
    title: `Length of the text, one node, ours durable, K=${K}`,
    along: 'bytes',
    base: ONE_NODE,
    points: [120, 2_048].map((bytes) => ({ x: String(bytes), change: { load: { ...ONE_NODE.load, bytes } } })),
  },
  {
    title: `Nodes, rooms of two on neighbouring nodes, without the store, K=${K} a node`,
    along: 'nodes',
    base: NODES,
    points: [1, 2, 4].map((nodes) => ({ x: String(nodes), change: { sides: onNodes(nodes) } })),
  },
]

/** @param {import('./side.mjs').Surroundings} around @param {{ repeats: number, share: number, rooms: number }} plan `rooms`: at most @returns {Promise<Curve[]>} */
export async function measureCurves(around, { repeats, share, rooms }) {
  const curves = []
  for (const { title, along, base, points } of CURVES) {
    console.log(`\n${title}`)
    /** @type {Curve} */
    const curve = { title, along, series: {}, isVoid: false, settings: {} }
    for (const { x, change } of points) {
      const scenario = /** @type {import('./turns.mjs').Scenario} */ ({ ...base, ...change })
      if (scenario.load.rooms > rooms) continue
      const done = []
      for (let repeat = 0; repeat < repeats; repeat++) done.push(await measureTurns(scenario, around, share))
      for (const measured of done) console.log(`  ${along} ${x}: ${line(scenario, measured)}`)
      for (const { name } of scenario.sides) {
        const costs = done.flatMap(({ turns }) => turns.map(({ sides }) => sides[name]?.cost ?? NaN))
        curve.series[name] = [...(curve.series[name] ?? []), { x, cost: median(costs) }]
      }
      curve.isVoid ||= isVoid(done)
      Object.assign(curve.settings, done[0]?.settings)
    }
    console.log(
      `${aligned(curveRows(curve))}${curve.isVoid ? '\nVOID: something was lost, doubled or misordered.' : ''}`,
    )
    curves.push(curve)
  }
  return curves
}

/** µs of CPU a delivery; the first row is the head. @param {Curve} curve @returns {string[][]} */
export function curveRows({ along, series, isVoid }) {
  const names = Object.keys(series)
  const xs = Object.values(series)[0] ?? []
  return [
    [along, ...names.map((name) => `${name} µs`)],
    ...xs.map(({ x }, i) => [
      x,
      ...names.map((name) => (isVoid ? 'void' : (series[name]?.[i]?.cost ?? NaN).toFixed(2))),
    ]),
  ]
}
