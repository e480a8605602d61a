// @ts-check
// Turns the figures of all repeats into one table, and says which ratios are void.

/**
 * @typedef {{ lost: number, doubled: number, misordered: number, stray: number, refused: number }} Faults
 * @typedef {{ faults: Faults, pings: number, firstRefusal: string, dead: string }} Audit of a generator's whole life
 * @typedef {{ cost: number, rate: number, p50: number, p99: number, server: number, generator: number,
 *   strangers: number, stalled: boolean, others: number, request: number, arrival: number,
 *   ack: number }} Figures of one slice
 * @typedef {{ inFlight: number, slices: Record<Side, Figures>[], audits: Record<Side, Audit>,
 *   settings: Record<Side, string> }} Repeat
 * @typedef {'ours' | 'stock'} Side
 */

/** @type {Side[]} */
const SIDES = ['ours', 'stock']
/** What performance.md asks for, by messages in flight. @type {Record<number, number>} */
const GOALS = { 4: 1.6, 200: 1 }
const FAULTS = /** @type {const} */ (['lost', 'doubled', 'misordered', 'stray', 'refused'])
const RATIOS = ['ratio of pairs', 'of medians', 'of minima', 'goal']
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

/** @param {number[]} values */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** @param {Audit} audit */
const faultsOf = ({ faults }) => FAULTS.reduce((sum, kind) => sum + faults[kind], 0)

/** @param {Repeat[]} repeats */
export const isVoid = (repeats) =>
  repeats.length === 0 || repeats.some(({ audits }) => faultsOf(audits.ours) + faultsOf(audits.stock) > 0)

/** @param {Repeat[]} repeats of one K */
const slicesOf = (repeats) => repeats.flatMap(({ slices }) => slices)

/** @param {Repeat} repeat */
export function line({ slices, audits }) {
  const told = SIDES.map((side) => {
    const cost = median(slices.map((slice) => slice[side].cost)).toFixed(2)
    const others = slices.reduce((sum, slice) => sum + slice[side].others, 0)
    const { pings, dead, firstRefusal } = audits[side]
    const faults = faultsOf(audits[side]) ? ` FAULTS ${JSON.stringify(audits[side].faults)} ${dead}${firstRefusal}` : ''
    const asides = `${pings ? ` (${pings} pings fell in)` : ''}${others ? ` (${others} other events)` : ''}`
    return `${side} ${cost} µs${faults}${asides}`
  })
  const ratios = slices.map(({ ours, stock }) => (ours.cost / stock.cost).toFixed(2))
  return `${told.join(', ')}, ratios ${ratios.join(' ')}`
}

/** @param {Repeat[]} repeats of all K @returns {string} */
export function table(repeats) {
  const rows = [['K', 'side', ...Object.keys(HEAD), 'min µs', ...FAULTS, ...RATIOS]]
  for (const inFlight of new Set(repeats.map((repeat) => repeat.inFlight))) {
    const here = repeats.filter((repeat) => repeat.inFlight === inFlight)
    for (const side of SIDES)
      rows.push([
        String(inFlight),
        side,
        ...cells(slicesOf(here).map((slice) => slice[side])),
        ...FAULTS.map((kind) => String(here.reduce((sum, { audits }) => sum + audits[side].faults[kind], 0))),
        ...(side === 'ours' ? ratios(here, inFlight) : RATIOS.map(() => '')),
      ])
  }
  return aligned(rows)
}

/** What both sides carried; they must be alike, or the comparison is none. @param {Repeat[]} repeats */
export function sizes(repeats) {
  return /** @type {const} */ (['request', 'arrival', 'ack'])
    .map((name) => {
      const of = (/** @type {Side} */ side) => median(slicesOf(repeats).map((slice) => slice[side][name]))
      const far = Math.abs(of('ours') / of('stock') - 1) > 0.1
      return `${name} ${of('ours').toFixed(0)} and ${of('stock').toFixed(0)} B${far ? ' (MORE THAN 10 % APART)' : ''}`
    })
    .join(', ')
}

/** @param {Figures[]} figures */
function cells(figures) {
  const medians = Object.entries(HEAD).map(([name, pick]) =>
    median(figures.map(pick)).toFixed(/µs|ms/.test(name) ? 2 : 0),
  )
  return [...medians, Math.min(...figures.map(({ cost }) => cost)).toFixed(2)]
}

/** @param {Repeat[]} repeats @param {number} inFlight */
function ratios(repeats, inFlight) {
  const goal = GOALS[inFlight] ? `≤ ${GOALS[inFlight].toFixed(2)}` : ''
  if (isVoid(repeats)) return ['void', 'void', 'void', goal]
  const slices = slicesOf(repeats)
  const [ours, stock] = [slices.map((slice) => slice.ours.cost), slices.map((slice) => slice.stock.cost)]
  const values = [
    median(slices.map((slice) => slice.ours.cost / slice.stock.cost)),
    median(ours) / median(stock),
    Math.min(...ours) / Math.min(...stock),
  ]
  return [...values.map((value) => value.toFixed(2)), goal]
}

/** @param {string[][]} rows */
function aligned(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(' | '))
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('-|-'), ...lines.slice(1)].join('\n')
}
