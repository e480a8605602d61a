// @ts-check
// Measures the gateway beside what one would pick otherwise, in turns, and says which goals are met.
//
//   npm run bench                            all goals, 5 repeats, at most about 12 minutes
//   npm run bench -- --quick                 one repeat of everything, 90 seconds: shows regressions, decides nothing
//   npm run bench -- --goal=2 --k=4,200      one goal, or several by commas; K are messages in flight
//     --repeats=9 --budget=3600 (seconds)
//   npm run bench -- --curves                costs over rooms, members, nodes, payload and K
//   npm run bench -- --write                 all goals and curves, written to docs/benchmark.md and docs/benchmark.svg
//   npm run bench -- --goal=2 --rehearse[=fault]   stock rooms behind our doors instead of the gateway; faults: rehearsal.mjs
//   node --cpu-prof test/bench/main.mjs --goal=2 --repeats=1 --k=200      where each process spends its time
//
// What is compared. Rooms of a customer and agents, each member on a connection of its own; the customer speaks in half
// of the rooms, an agent in the others. A message is delivered to every member: to its receivers, and, as its
// acknowledgement, to its sender. Both sides get the same bytes and answer alike; peers have the best settings that
// their documents name, and ours those of `npm start`. Goals 1 and 4 to 6 are about saying alone, without rules and
// store: there the servers are triggered over a plain TCP connection, ours publishes on its bus what a commit would
// have published, the peers call io.to(room).emit, and all members are receivers.
//
// Beside goal 1 stands the floor, the bare writes without a server around them: no goal below it can be met.
//
// The metric is CPU per delivery, because the machine is shared: of nodes all threads (process.cpuUsage, asked over the
// IPC channel just before and after the load), of Redis and Postgres all their processes (/proc). Throughput, latency
// and the load of the processors stand beside it. "server %" and "generator %" are shares of one core, "strangers %" is
// what all other processes used meanwhile: the more they do, the less a single slice means. A closed loop: K rooms have
// one message in flight each, until all deliveries have come; then the room that has been idle longest goes on. Latency
// is counted from the write of the request to the read of each delivery.
//
// The order. For each repeat all sides are started afresh, each with a fresh generator, and warmed up, with all rooms at
// once and then with five messages in flight in each room, where a fault of order would show. Then they are measured in
// short slices, A B A B, while the other sides rest: neighbours in time share the weather. The median of the slices'
// ratios is the figure to quote. With one node, servers and generators have a core each; several nodes share all cores.
//
// The check. Each message carries its room and number in its key, and each receiver of each room is checked: every
// number once, in order, with a `seq` that rises by one. Anything lost, doubled, misordered, astray or refused, be it
// in the warm-up, makes the ratio void and the exit code 1. Absolute figures depend on the machine and on what else
// it does; only ratios of one run may be compared.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureCurves } from './curves.mjs'
import { writeDocuments } from './document.mjs'
import { SHOWN_BY, scenarios } from './goals.mjs'
import { measureIdle } from './idle.mjs'
import { aboutMachine, pinnedCores } from './machine.mjs'
import { measureRecovery } from './recovery.mjs'
import { aligned, goalsTable, isVoid, judge, line, sizes, table } from './report.mjs'
import { running } from './side.mjs'
import { measureTurns } from './turns.mjs'

const QUICK = {
  repeats: 1,
  share: 0.4,
  idle: { connections: 600, repeats: 1, seconds: 0 },
  messages: 100_000,
  resumes: 2,
  nodes: 4,
  rooms: 1_000,
}
const FULL = {
  repeats: 5,
  share: 1,
  idle: { connections: 3_000, repeats: 1, seconds: 52 },
  messages: 1_000_000,
  resumes: 5,
}
const RESUMING_CLIENTS = 20
const CURVING = { repeats: 2, share: 0.6, rooms: 10_000 }
/** Each with its part of the time: who needs less leaves it to those that follow. @type {Record<number, number>} */
const PARTS = { 1: 5, 2: 5, 3: 3, 4: 9, 5: 9, 7: 6, 8: 4, 9: 3 }
const GOALS = Object.keys(PARTS).map(Number)
const TMPFS = 0x01021994

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    curves: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    goal: { type: 'string' },
    repeats: { type: 'string' },
    k: { type: 'string', default: '' },
    budget: { type: 'string', default: '720' },
    rehearse: { type: 'string' },
  },
  args: process.argv.slice(2).map((arg) => (arg === '--rehearse' ? '--rehearse=' : arg)),
})
const length = options.quick ? QUICK : FULL
const repeats = Number(options.repeats ?? length.repeats)
const given = {
  ...(options.repeats && { repeats }),
  ...(options.quick && { share: length.share, repeats, rooms: QUICK.rooms }),
}
const ks = options.k.split(',').filter(Boolean).map(Number)
const wanted = options.goal?.split(',').map(Number) ?? GOALS
const goals = GOALS.filter((goal) => wanted.some((one) => (SHOWN_BY[one] ?? one) === goal))
const started = performance.now()
const elapsed = () => (performance.now() - started) / 1000

/** A folder on a real disk: what is in memory costs nothing to sync. */
function workFolder() {
  const inHouse = fileURLToPath(new URL('../../data', import.meta.url))
  if (statfsSync(tmpdir()).type !== TMPFS) return mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
  mkdirSync(inHouse, { recursive: true })
  return mkdtempSync(join(inHouse, 'bench-'))
}

/**
 * Repeat by repeat, as far as the time goes.
 * @param {import('./turns.mjs').Scenario} scenario @param {import('./side.mjs').Surroundings} around @param {number} until
 */
async function measureScenario(scenario, around, until) {
  console.log(`\n${scenario.title}`)
  const { rooms, members, bytes } = scenario.load
  console.log(`  ${rooms} rooms of ${members}, text of ${bytes} B`)
  /** @type {import('./turns.mjs').Repeat[]} */
  const done = []
  let longest = 0
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const begun = elapsed()
    if (repeat > 1 && begun + longest > until) {
      console.log(`  The budget of time ends it in repeat ${repeat} of ${repeats}.`)
      break
    }
    const measured = await measureTurns(scenario, around, length.share)
    longest = Math.max(longest, elapsed() - begun)
    if (done.length === 0)
      for (const [name, settings] of Object.entries(measured.settings)) console.log(`  ${name}: ${settings}`)
    done.push(measured)
    console.log(`  ${repeat}/${repeats} ${line(scenario, measured)}`)
  }
  const rows = table(scenario, done)
  console.log(`\n${aligned(rows)}\nMedians over all slices. Payloads by side: ${sizes(scenario, done)}.`)
  const { settings } = /** @type {import('./turns.mjs').Repeat} */ (done[0])
  return { title: scenario.title, settings, rows, results: judge(scenario, done), isVoid: isVoid(done) }
}

/** @param {number} goal @param {import('./side.mjs').Surroundings} around @param {number} until */
async function measureGoal(goal, around, until) {
  if (goal === 8) {
    const { connections, seconds } = length.idle
    const title = `Idle connections: ${connections} that have joined and say nothing, for ${seconds} s`
    console.log(`\n${title}`)
    return { title, rows: [], isVoid: false, ...(await measureIdle(around, length.idle)) }
  }
  if (goal === 9) {
    const { messages, resumes } = length
    const title = `Resuming with ${messages.toLocaleString('en')} messages behind it`
    console.log(`\n${title}`)
    return {
      title,
      rows: [],
      isVoid: false,
      ...(await measureRecovery(around, { messages, clients: RESUMING_CLIENTS, repeats: resumes })),
    }
  }
  const scenario = /** @type {import('./turns.mjs').Scenario} */ (scenarios(ks)[goal])
  return measureScenario(rehearsed(shortened(scenario)), around, until)
}

/** The short form leaves out what decides no goal. @param {import('./turns.mjs').Scenario} scenario */
function shortened(scenario) {
  if (!options.quick || ks.length > 0) return scenario
  const { sides, goals } = scenario
  const judged = scenario.ks.filter((k) => goals.some((goal) => goal.k === k))
  return { ...scenario, ks: judged, sides: sides.filter(({ nodes = 1 }) => nodes <= QUICK.nodes) }
}

/** Ours is stood in for by stock rooms behind our doors. @param {import('./turns.mjs').Scenario} scenario */
function rehearsed(scenario) {
  if (options.rehearse === undefined) return scenario
  const file = './rehearsal.mjs'
  return { ...scenario, sides: scenario.sides.map((side) => (side.name === 'ours' ? { ...side, file } : side)) }
}

/** @param {import('./side.mjs').Surroundings} around */
async function measureAll(around) {
  const outcomes = []
  for (const [i, goal] of goals.entries()) {
    const parts = goals.slice(i).map((one) => PARTS[one] ?? 0)
    const share = (parts[0] ?? 0) / parts.reduce((sum, part) => sum + part)
    const until = elapsed() + (Number(options.budget) - elapsed()) * share
    outcomes.push(await measureGoal(goal, around, until))
  }
  const results = outcomes.flatMap((outcome) => outcome.results).sort((a, b) => a.goal - b.goal)
  console.log(`\n${aligned(goalsTable(results))}\n`)
  const faulty = outcomes.some((outcome) => outcome.isVoid) || results.some((result) => result.isVoid)
  if (faulty) console.log('VOID: something was lost, doubled, misordered, astray or refused.')
  if (faulty) process.exitCode = 1
  return { outcomes, results }
}

const folder = workFolder()
const env = {
  BENCH_USER: 'bench',
  BENCH_PASSWORD: 'Bench-only-1234567890',
  BENCH_SECRET: randomBytes(32).toString('hex'),
  BENCH_FOLDER: folder,
  BENCH_FAULT: options.rehearse ?? '',
}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.once(signal, async () => {
    await Promise.allSettled([...running].map((side) => side.kill()))
    rmSync(folder, { recursive: true, force: true })
    process.exit(130)
  })

try {
  const around = { env, cores: pinnedCores() }
  const machine = aboutMachine(around.cores)
  console.log(machine)
  const measured = options.curves && !options.write ? { outcomes: [], results: [] } : await measureAll(around)
  const curves = options.curves || options.write ? await measureCurves(around, { ...CURVING, ...given }) : []
  if (curves.some((curve) => curve.isVoid)) process.exitCode = 1
  const told = `${repeats} repeats${options.quick ? ' of the short form, which decides nothing' : ''}`
  if (options.write) writeDocuments({ machine, length: told, ...measured, curves })
  console.log(`${elapsed().toFixed(0)} s in all.`)
} catch (error) {
  console.log(`VOID: the run broke off. ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
