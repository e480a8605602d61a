// @ts-check
// Turns figures into tables, judges the goals, and says which ratios are void.

/**
 * @typedef {import('./turns.mjs').Repeat} Repeat
 * @typedef {import('./turns.mjs').Scenario} Scenario
 * @typedef {import('./side.mjs').Figures} Figures
 * @typedef {import('./side.mjs').Audit} Audit
 * @typedef {{ goal: number, what: string, at: string, against: string, ratio: number, limit: number, isFloor: boolean,
 *   isVoid: boolean, figures: string }} Result `ratio`: NaN when it was not measured
 */

const FAULTS = /** @type {const} */ (['lost', 'doubled', 'misordered', 'stray', 'refused'])
/** Each column is the median over all slices of all repeats. @type {Record<string, (figures: Figures) => number>} */
const HEAD = {
  'µs/delivery': ({ cost }) => cost,
  'deliveries/s': ({ rate }) => rate,
  'p50 ms': ({ p50 }) => p50,
  'p99 ms': ({ p99 }) => p99,
  'server %': ({ server }) => server * 100,
  'generator %': ({ generator }) => generator * 100,
  'strangers %': ({ strangers }) => strangers * 100,
}
/** @type {Record<string, (figures: Figures) => number>} */
const PARTS = {
  'nodes µs': ({ parts }) => parts.nodes,
  'Redis µs': ({ parts }) => parts.redis,
  'Postgres µs': ({ parts }) => parts.postgres,
}

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** @param {import('./side.mjs').Faults} faults */
const sumOf = (faults) => FAULTS.reduce((sum, kind) => sum + faults[kind], 0)
/** @param {Repeat[]} repeats */
export const isVoid = (repeats) =>
  repeats.length === 0 || repeats.some(({ audits }) => Object.values(audits).some(({ faults }) => sumOf(faults) > 0))

/** @param {Repeat[]} repeats @param {number} k */
const turnsOf = (repeats, k) => repeats.flatMap(({ turns }) => turns.filter(({ inFlight }) => inFlight === k))

/** One repeat, as soon as it is over. @param {Scenario} scenario @param {Repeat} repeat */
export function line({ sides, ks }, repeat) {
  const told = ks.map((k) => {
    const costs = sides.map(({ name }) => {
      const cost = median(turnsOf([repeat], k).map((turn) => turn.sides[name]?.cost ?? NaN))
      return `${name} ${cost.toFixed(2)}`
    })
    return `K=${k}: ${costs.join(', ')} µs`
  })
  return [...told, ...sides.flatMap(({ name }) => asides(name, repeat))].join('; ')
}
/** @param {string} name @param {Repeat} repeat */
function asides(name, { audits, turns }) {
  const { faults, pings, dead, firstRefusal } = /** @type {Audit} */ (audits[name])
  const others = turns.reduce((sum, { sides }) => sum + (sides[name]?.others ?? 0), 0)
  return [
    ...(sumOf(faults) > 0 ? [`${name} FAULTS ${JSON.stringify(faults)} ${dead}${firstRefusal}`] : []),
    ...(pings > 0 ? [`${name}: ${pings} pings fell in`] : []),
    ...(others > 0 ? [`${name}: ${others} other events`] : []),
  ]
}

/** @param {Scenario} scenario @param {Repeat[]} repeats @returns {string[][]} the first row is the head */
export function table({ sides, ks }, repeats) {
  const isCluster = sides.some(({ redis }) => redis)
  const columns = { ...HEAD, ...(isCluster && PARTS) }
  const rows = [['K', 'side', ...Object.keys(columns), 'min µs', ...FAULTS]]
  for (const k of ks)
    for (const { name } of sides) {
      const figures = turnsOf(repeats, k).flatMap((turn) => turn.sides[name] ?? [])
      const cells = Object.entries(columns).map(([head, pick]) =>
        median(figures.map(pick)).toFixed(/µs|ms/.test(head) ? 2 : 0),
      )
      const faults = FAULTS.map((kind) =>
        String(repeats.reduce((sum, { audits }) => sum + (audits[name]?.faults[kind] ?? 0), 0)),
      )
      rows.push([String(k), name, ...cells, Math.min(...figures.map(({ cost }) => cost)).toFixed(2), ...faults])
    }
  return rows
}

/** What the sides carried; they must be alike, or the comparison is none. @param {Scenario} scenario @param {Repeat[]} repeats */
export function sizes({ sides }, repeats) {
  const turns = repeats.flatMap((repeat) => repeat.turns)
  return /** @type {const} */ (['request', 'arrival', 'ack'])
    .map((what) => {
      const values = sides.map(({ name }) => median(turns.map((turn) => turn.sides[name]?.[what] ?? NaN)))
      const far = Math.max(...values) / Math.min(...values) > 1.1
      return `${what} ${values.map((value) => value.toFixed(0)).join(', ')} B${far ? ' (MORE THAN 10 % APART)' : ''}`
    })
    .join('; ')
}

/** @param {Scenario} scenario @param {Repeat[]} repeats @returns {Result[]} of the goals whose K and side were measured */
export function judge({ goals, ks, sides, perNode }, repeats) {
  return goals
    .filter(({ k, side }) => ks.includes(k) && sides.some(({ name }) => name === side))
    .map((goal) => {
      const { k, against, isFloor = false } = goal
      const ratios = against.map((peer) => ({ peer, ...compare(goal, peer, repeats) }))
      // The better peer is the harder one to beat.
      const hardest = ratios.sort((a, b) => (isFloor ? a.ratio - b.ratio : b.ratio - a.ratio))[0]
      return {
        goal: goal.goal,
        what: goal.what,
        at: `K=${k}${perNode ? ' a node' : ''}`,
        against: hardest?.peer ?? '',
        ratio: hardest?.ratio ?? NaN,
        limit: goal.limit,
        isFloor,
        isVoid: isVoid(repeats),
        figures: hardest?.figures ?? '',
      }
    })
}

/** The median of the ratios of neighbours in time; of Redis, the ratio of whole repeats, for it is counted in ticks. */
/** @param {import('./goals.mjs').Goal} goal @param {string} peer @param {Repeat[]} repeats */
function compare({ of, k, side }, peer, repeats) {
  if (of === 'redis') {
    const cost = (/** @type {string} */ name) => repeats.map((repeat) => redisCost(turnsOf([repeat], k), name))
    const [ours, theirs] = [cost(side), cost(peer)]
    const ratio = median(ours.map((value, i) => value / (theirs[i] ?? NaN)))
    return { ratio, figures: `${median(ours).toFixed(2)} and ${median(theirs).toFixed(2)} µs of Redis a delivery` }
  }
  const turns = turnsOf(repeats, k)
  const pick = (/** @type {string} */ name) => turns.map((turn) => turn.sides[name]?.[of] ?? NaN)
  const [ours, theirs] = [pick(side), pick(peer)]
  const ratio = median(ours.map((value, i) => value / (theirs[i] ?? NaN)))
  const figures = [median(ours), median(theirs)].map((value) => value.toFixed(of === 'rate' ? 0 : 2)).join(' and ')
  return { ratio, figures: `${figures} ${of === 'rate' ? 'deliveries/s' : 'µs a delivery'}` }
}
/** @param {import('./turns.mjs').Turn[]} turns @param {string} name */
function redisCost(turns, name) {
  const [cpu, delivered] = turns.reduce(
    ([cpu, delivered], { sides }) => [cpu + (sides[name]?.cpu.redis ?? 0), delivered + (sides[name]?.delivered ?? 0)],
    [0, 0],
  )
  return cpu / delivered
}

/** @param {Result} result */
export function verdict({ ratio, limit, isFloor, isVoid }) {
  if (isVoid) return 'VOID'
  if (Number.isNaN(ratio)) return 'not measured'
  return (isFloor ? ratio >= limit : ratio <= limit) ? 'met' : 'NOT MET'
}

/** @param {Result[]} results @returns {string[][]} */
export function goalsTable(results) {
  return [
    ['goal', 'what', 'at', 'against', 'ratio', 'asked', '', 'medians'],
    ...results.map((result) => [
      String(result.goal),
      result.what,
      result.at,
      result.against,
      result.isVoid ? 'void' : number(result.ratio),
      `${result.isFloor ? '≥' : '≤'} ${number(result.limit)}`,
      verdict(result),
      result.figures,
    ]),
  ]
}
/** @param {number} value */
export const number = (value) => (Number.isNaN(value) ? '—' : value.toFixed(value < 0.05 ? 4 : 2))

/** @param {string[][]} rows */
export function aligned(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(' | '))
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('-|-'), ...lines.slice(1)].join('\n')
}
