// @ts-check
// Writes what was measured to docs/benchmark.md, with a picture of it beside.
import { writeFileSync } from 'node:fs'
import { curveRows } from './curves.mjs'
import { draw } from './draw.mjs'
import { goalsTable } from './report.mjs'

const page = new URL('../../docs/benchmark.md', import.meta.url)
const picture = new URL('../../docs/benchmark.svg', import.meta.url)

const INTRODUCTION = `# Benchmark

Written by \`npm run bench -- --write\`. What is measured and how is said at the top of [main.mjs](../test/bench/main.mjs); the peers are in [test/bench/peers](../test/bench/peers). Only ratios of one run may be compared: absolute figures depend on the machine and on what else it does. A ratio is void when anything was lost, doubled or misordered on any receiver.
`

/**
 * @typedef {{ title: string, settings: Record<string, string>, rows: string[][], results: import('./report.mjs').Result[] }} Outcome
 * @param {{ machine: string, length: string, outcomes: Outcome[], results: import('./report.mjs').Result[],
 *   curves: import('./curves.mjs').Curve[] }} measured
 */
export function writeDocuments({ machine, length, outcomes, results, curves }) {
  const parts = [
    INTRODUCTION,
    `Machine: ${machine}. ${length}.\n`,
    '![The goals and the curves](benchmark.svg)\n',
    '## Goals\n',
    markdown(goalsTable(results)),
    ...outcomes.flatMap(({ title, settings, rows, results }) => [
      `## ${title}\n`,
      ...(rows.length ? [markdown(rows)] : results.map(({ what, figures }) => `${what}: ${figures}.\n`)),
      list(settings),
    ]),
    ...(curves.length ? ['## Curves\n', 'µs of CPU a delivery, medians.\n'] : []),
    ...curves.flatMap((curve) => [`### ${curve.title}\n`, markdown(curveRows(curve)), list(curve.settings)]),
  ]
  writeFileSync(page, parts.join('\n'))
  writeFileSync(picture, draw({ machine, results, curves }))
}

/** As prettier would lay it out. @param {string[][]} rows the first one is the head */
function markdown(rows) {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)))
  const [head, ...body] = rows.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`)
  return [head, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body, ''].join('\n')
}
/** @param {Record<string, string>} settings */
const list = (settings) =>
  `${Object.entries(settings)
    .map(([name, text]) => `- ${name}: ${text}`)
    .join('\n')}\n`
