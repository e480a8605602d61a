// @ts-check
// What is to be reached, and the scenario that shows it: goals 1 to 7 are turns under load, 8 and 9 have ways of their own.

/**
 * @typedef {{ goal: number, what: string, side: string, against: string[], of: 'cost' | 'redis' | 'rate', k: number,
 *   limit: number, isFloor?: boolean }} Goal `against`: of several peers the better one counts; `isFloor`: at least `limit`
 * @typedef {import('./turns.mjs').Scenario} Scenario
 */

export const OURS = { name: 'ours', file: './ours.mjs' }
export const STOCK = { name: 'stock', file: './peers/stock.mjs' }
const ADAPTER = { file: './peers/adapter.mjs', nodes: 2, redis: true }
/** @param {string} name */
export const adapter = (name) => ({ ...ADAPTER, name, env: { BENCH_ADAPTER: name } })
export const CLUSTER = { file: './ours.mjs', redis: true, postgres: true }
const THREE = { rooms: 200, members: 3, bytes: 120 }
const TWO = { rooms: 200, members: 2, bytes: 120 }
/** Long enough for processes whose CPU is counted in hundredths of a second. */
const LONG = { slices: 3, seconds: 1 }
const SHORT = { slices: 5, seconds: 0.35, isPinned: true }

/** @param {number[]} ks @returns {Record<number, Scenario>} by the first goal that each of them shows */
export const scenarios = (ks) => ({
  1: {
    title: 'Fan-out alone, one node: what the hub, the codec and the sockets cost, without rules and store',
    sides: [{ ...OURS, env: { BENCH_STORE: 'memory' } }, STOCK, { name: 'floor', file: './peers/floor.mjs' }],
    load: { ...THREE, driven: true },
    ks: ks.length ? ks : [4, 200],
    ...SHORT,
    goals: [4, 200].map((k) => ({ ...goal(1, 'fan-out alone', 0.65), k, against: ['stock'] })),
  },
  2: {
    title: 'Durable fan-out, one node, beside stock Socket.IO without durability',
    sides: [OURS, STOCK],
    load: THREE,
    ks: ks.length ? ks : [4, 200],
    ...SHORT,
    goals: [
      { ...goal(2, 'durable fan-out', 1.6), k: 4, against: ['stock'] },
      { ...goal(2, 'durable fan-out', 1), k: 200, against: ['stock'] },
    ],
  },
  3: {
    title: 'Durable throughput, one node, beside one INSERT a message',
    // Stock without any durability shows how many times the INSERTs' rate there is to be had.
    sides: [OURS, { name: 'insert', file: './peers/insert-sqlite.mjs' }, STOCK],
    load: THREE,
    ks: ks.length ? ks : [200],
    ...SHORT,
    goals: [{ ...goal(3, 'durable deliveries a second', 8), k: 200, against: ['insert'], of: 'rate', isFloor: true }],
  },
  4: {
    title: 'Between two nodes: what hub, bus and sockets cost, without rules and store',
    sides: [{ ...CLUSTER, name: 'ours', nodes: 2 }, adapter('sharded'), adapter('classic')],
    load: { ...TWO, driven: true },
    ks: ks.length ? ks : [8, 200],
    ...LONG,
    goals: [
      { ...goal(4, 'delivery between nodes', 0.4), k: 200, against: ['sharded', 'classic'] },
      { ...goal(6, 'CPU of Redis', 0.1), k: 200, against: ['sharded'], of: 'redis' },
      { ...goal(6, 'CPU of Redis', 0.5), k: 8, against: ['sharded'], of: 'redis' },
    ],
  },
  5: {
    title: 'Flatness: the same load for each node, on more and more nodes',
    sides: [2, 4, 8].map((nodes) => ({ ...CLUSTER, name: `${nodes} nodes`, nodes })),
    load: { ...TWO, rooms: 400, driven: true },
    ks: ks.length ? ks : [50],
    perNode: true,
    ...LONG,
    goals: [
      { ...goal(5, '8 nodes over 2 nodes', 1.1), k: 50, side: '8 nodes', against: ['2 nodes'] },
      { ...goal(5, '4 nodes over 2 nodes', 1.1), k: 50, side: '4 nodes', against: ['2 nodes'] },
    ],
  },
  7: {
    title: 'The whole system: nodes, Redis and Postgres, for durable messages between two nodes',
    sides: [
      { ...CLUSTER, name: 'ours', nodes: 2 },
      { ...ADAPTER, name: 'insert', postgres: true, env: { BENCH_ADAPTER: 'sharded' } },
    ],
    load: TWO,
    ks: ks.length ? ks : [16, 200],
    ...LONG,
    goals: [
      { ...goal(7, 'whole system', 0.2), k: 200, against: ['insert'] },
      { ...goal(7, 'whole system', 0.55), k: 16, against: ['insert'] },
    ],
  },
})

/** @param {number} number @param {string} what @param {number} limit @returns {Omit<Goal, 'k' | 'against'>} */
function goal(number, what, limit) {
  return { goal: number, what, limit, side: 'ours', of: 'cost' }
}
/** Shown by the scenario of another goal. @type {Record<number, number>} */
export const SHOWN_BY = { 6: 4 }
