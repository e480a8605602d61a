// @ts-check
// Draws the goals and the curves as one SVG, by hand: bars up to the line of the goal, and a small chart for each curve.
import { number, verdict } from './report.mjs'

const WIDTH = 920
const MARGIN = 24
const LABELS = 390
/** What a bar says stands right of all bars. */
const FIGURES = 150
const ROW = 26
const CHART = { width: 424, height: 230, left: 46, right: 96, top: 44, bottom: 40 }
/** Bars are drawn up to so many times the goal. */
const FURTHEST = 2.5
const INK = '#1d2733'
const PALE = '#66727f'
const GRID = '#dde3e9'
const MET = '#2a8f5b'
const MISSED = '#d0662a'
const LINES = ['#1f5fbf', '#8a94a0', '#b0752d', '#7a4fa3']

/** @typedef {import('./report.mjs').Result} Result @typedef {import('./curves.mjs').Curve} Curve */

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
/** @param {number} x @param {number} y @param {string} text @param {{ size?: number, fill?: string, anchor?: string, weight?: number }} [style] */
const text = (x, y, text, { size = 13, fill = INK, anchor = 'start', weight = 400 } = {}) =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" font-weight="${weight}">${escaped(text)}</text>`
/** @param {number[]} from @param {number[]} to @param {string} stroke @param {string} [more] */
const rule = ([x1 = 0, y1 = 0], [x2 = 0, y2 = 0], stroke, more = '') =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${stroke}" ${more}/>`

/** @param {{ machine: string, results: Result[], curves: Curve[] }} what @returns {string} */
export function draw({ machine, results, curves }) {
  const measured = results.filter(({ ratio, isVoid }) => !isVoid && !Number.isNaN(ratio))
  const bars = drawBars(measured, 92)
  const chartsAt = 92 + measured.length * ROW + 62
  const charts = curves.map((curve, i) => {
    const x = MARGIN + (i % 2) * (CHART.width + 24)
    return drawChart(curve, x, chartsAt + Math.floor(i / 2) * (CHART.height + 22))
  })
  const height = chartsAt + Math.ceil(curves.length / 2) * (CHART.height + 22) + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<title>Fairlead beside its peers: goals and curves</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(MARGIN, 36, 'How far from the goals', { size: 20, weight: 600 }),
    text(
      MARGIN,
      58,
      'The measured ratio to the peer, as a share of what is asked: a bar that ends before the line meets its goal.',
      { fill: PALE },
    ),
    bars,
    ...(curves.length
      ? [text(MARGIN, chartsAt - 14, 'What a delivery costs: µs of CPU, all of the system', { size: 16, weight: 600 })]
      : []),
    ...charts,
    `<!-- ${escaped(machine)} -->`,
    '</svg>\n',
  ].join('\n')
}

/** @param {Result[]} results @param {number} top */
function drawBars(results, top) {
  const left = MARGIN + LABELS
  const scale = (WIDTH - MARGIN - FIGURES - left) / FURTHEST
  const bottom = top + results.length * ROW
  const rows = results.map((result, i) => {
    const { goal, what, at, against, ratio, limit, isFloor } = result
    const share = isFloor ? limit / ratio : ratio / limit
    const y = top + i * ROW
    const width = Math.max(2, Math.min(share, FURTHEST) * scale)
    const fill = verdict(result) === 'met' ? MET : MISSED
    const more = share > FURTHEST ? '→ ' : ''
    return [
      text(left - 10, y + 17, `${goal}  ${what}${at ? `, ${at}` : ''}, against ${against}`, {
        anchor: 'end',
        size: 12,
      }),
      `<rect x="${left}" y="${y + 4}" width="${width.toFixed(1)}" height="${ROW - 9}" fill="${fill}" rx="2"/>`,
      text(
        WIDTH - MARGIN - FIGURES + 14,
        y + 17,
        `${more}${number(ratio)}  (asked ${isFloor ? '≥' : '≤'} ${number(limit)})`,
        {
          size: 12,
        },
      ),
    ].join('\n')
  })
  const x = left + scale
  return [
    ...rows,
    rule([x, top - 4], [x, bottom + 4], INK, 'stroke-width="1.5" stroke-dasharray="4 3"'),
    text(x, bottom + 20, 'the goal', { anchor: 'middle', size: 12, fill: PALE }),
  ].join('\n')
}

/** @param {Curve} curve @param {number} x @param {number} y */
function drawChart({ title, along, series, isVoid }, x, y) {
  const { width, height, left, right, top, bottom } = CHART
  const names = Object.keys(series)
  const points = Object.values(series)
  const highest = niceCeiling(Math.max(...points.flat().map(({ cost }) => cost)))
  const count = points[0]?.length ?? 0
  const plot = { width: width - left - right, height: height - top - bottom }
  const atX = (/** @type {number} */ i) => x + left + (count > 1 ? (i / (count - 1)) * plot.width : plot.width / 2)
  const atY = (/** @type {number} */ cost) => y + top + plot.height * (1 - cost / highest)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = highest * share
    return `${rule([x + left, atY(value)], [x + left + plot.width, atY(value)], GRID)}\n${text(x + left - 8, atY(value) + 4, String(Number(value.toFixed(1))), { size: 11, anchor: 'end', fill: PALE })}`
  })
  const ticks = (points[0] ?? []).map((point, i) =>
    text(atX(i), y + height - bottom + 17, point.x, { size: 11, anchor: 'middle', fill: PALE }),
  )
  const ends = spread(points.map((line) => atY(line.at(-1)?.cost ?? 0)))
  const lines = isVoid
    ? [text(x + left + 10, y + height / 2, 'void', { size: 20, fill: MISSED })]
    : points.map((line, n) => {
        const colour = LINES[n % LINES.length] ?? INK
        const path = line.map(({ cost }, i) => `${i ? 'L' : 'M'}${atX(i).toFixed(1)} ${atY(cost).toFixed(1)}`).join(' ')
        const dots = line.map(
          ({ cost }, i) => `<circle cx="${atX(i).toFixed(1)}" cy="${atY(cost).toFixed(1)}" r="3.5" fill="${colour}"/>`,
        )
        const label = `${names[n]} ${(line.at(-1)?.cost ?? NaN).toFixed(1)}`
        return [
          `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
          ...dots,
          text(atX(count - 1) + 9, (ends[n] ?? 0) + 4, label, { size: 12, fill: colour, weight: 600 }),
        ].join('\n')
      })
  return [
    ...wrapped(title, 62).map((part, i) => text(x, y + 14 + i * 15, part, { size: 12, weight: 600 })),
    ...grid,
    ...ticks,
    ...lines,
    text(x + left + plot.width / 2, y + height - 6, along, { size: 11, anchor: 'middle', fill: PALE }),
  ].join('\n')
}

/** Labels must not lie on each other. @param {number[]} ys */
function spread(ys) {
  const order = ys.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y)
  order.forEach((one, n) => {
    const before = order[n - 1]
    if (before) one.y = Math.max(one.y, before.y + 15)
  })
  return order.sort((a, b) => a.i - b.i).map(({ y }) => y)
}

/** @param {string} title @param {number} length */
function wrapped(title, length) {
  /** @type {string[]} */
  const lines = ['']
  for (const word of title.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last.length + word.length < length) lines[lines.length - 1] = `${last} ${word}`.trim()
    else lines.push(word)
  }
  return lines
}

/** @param {number} value */
function niceCeiling(value) {
  const step = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 6, 8, 10].map((times) => times * step).find((nice) => nice >= value) ?? value
}
