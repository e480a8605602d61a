// @ts-check
// Measures durable fan-out on one node of our gateway beside stock Socket.IO without durability, in turns.
//
//   npm run build && npm run bench          5 repeats, at most about 3 minutes
//   node test/bench/main.mjs --quick        2 repeats with fewer messages, about 40 seconds
//     --repeats=9 --k=4,200 --rooms=200 --bytes=2048 --budget=600 (seconds)
//     --rehearse[=fault]                    stock rooms behind our doors instead of the gateway; faults: rehearsal.mjs
//     --rehearse=stock                      stock beside itself: the ratio is 1, and what it is not is noise
//   node --cpu-prof test/bench/main.mjs --repeats=1 --k=200      where each process spends its time
//
// What is compared. Rooms of 3, one customer and two agents, each member on a connection of its own; the customer
// speaks in half of the rooms, an agent in the others. A message is delivered three times: to two receivers, and, as
// its acknowledgement, to its sender. Ours has written it to the disk by then (SQLite, FULL); stock has not. Both get
// the same bytes and answer alike.
//
// The metric is the server's CPU per delivery, all its threads included (process.cpuUsage, asked over the IPC channel
// just before and after the load), because the machine is shared; throughput, latency and the load of the processors
// stand beside it. "server %" and "generator %" are shares of one core, "strangers %" is what all other processes
// used meanwhile: the more they do, the less a single slice means. A closed loop: K rooms have one message in flight
// each, until all three deliveries have come; then the room that has been idle longest goes on. The number of
// connections is the same for every K. Latency is counted from the write of the request to the read of each of the
// three deliveries.
//
// The order. For each repeat and each K two fresh servers, each with a fresh generator, are started and warmed up,
// with all rooms at once and then with five messages in flight in each room, where a fault of order would show. Then
// they are measured in short slices, A B A B, while the other side rests: neighbours in time share the weather. The
// median of the slices' ratios is the figure to quote. All is over before a connection's first ping (25 s); should
// one fall in, it is said.
//
// The check. Each message carries its room and number in its key, and each receiver of each room is checked: every
// number once, in order, with a `seq` that rises by one. Anything lost, doubled, misordered, astray or refused, be it
// in the warm-up, makes the ratio void and the exit code 1. Absolute figures depend on the machine and on what else
// it does; only ratios of one run may be compared.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { processors } from './child.mjs'
import { WINDOW_SECONDS, children, measurePair } from './pair.mjs'
import { isVoid, line, sizes, table } from './report.mjs'

const QUICK = { repeats: 2, share: 0.4 }
const FULL = { repeats: 5, share: 1 }
const TMPFS = 0x01021994
const LOGIN = { BENCH_USER: 'bench', BENCH_PASSWORD: 'Bench-only-1234567890' }

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    repeats: { type: 'string' },
    k: { type: 'string', default: '4,16,200' },
    rooms: { type: 'string', default: '200' },
    bytes: { type: 'string', default: '120' },
    budget: { type: 'string', default: '175' },
    rehearse: { type: 'string' },
  },
  args: process.argv.slice(2).map((arg) => (arg === '--rehearse' ? '--rehearse=' : arg)),
})
const { repeats, share } = {
  ...(options.quick ? QUICK : FULL),
  ...(options.repeats && { repeats: Number(options.repeats) }),
}
const [rooms, bytes, budget] = [Number(options.rooms), Number(options.bytes), Number(options.budget)]
const inFlights = options.k.split(',').map(Number)
const started = performance.now()

/** The servers on one core, the generators on another. */
function pinnedCores() {
  const [server, generator] = process.platform === 'linux' ? processors() : []
  if (server === undefined || generator === undefined) return undefined
  try {
    execFileSync('taskset', ['-c', String(server), 'true'], { stdio: 'ignore' })
    return { server, generator }
  } catch {
    return undefined
  }
}

/** A folder on a real disk: what is in memory costs nothing to sync. */
function workFolder() {
  const inHouse = fileURLToPath(new URL('../../data', import.meta.url))
  if (statfsSync(tmpdir()).type !== TMPFS) return mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
  mkdirSync(inHouse, { recursive: true })
  return mkdtempSync(join(inHouse, 'bench-'))
}

/** @param {string} folder @param {ReturnType<typeof pinnedCores>} cores */
function sides(folder, cores) {
  const env = { ...LOGIN, BENCH_FOLDER: folder, BENCH_FAULT: options.rehearse ?? '' }
  const common = { env, ...(cores && { core: cores.server, generatorCore: cores.generator }) }
  const stand = options.rehearse === 'stock' ? './stock.mjs' : './rehearsal.mjs'
  return {
    ours: { ...common, file: options.rehearse === undefined ? './ours.mjs' : stand },
    stock: { ...common, file: './stock.mjs' },
  }
}

/** Repeat by repeat, as far as the budget of time goes. @param {ReturnType<typeof sides>} both */
async function measureAll(both) {
  /** @type {import('./report.mjs').Repeat[]} */
  const done = []
  let longest = 0
  for (let repeat = 1; repeat <= repeats; repeat++)
    for (const inFlight of inFlights) {
      const begun = performance.now()
      if (repeat > 1 && (begun - started + longest) / 1000 > budget) {
        console.log(`  The budget of ${budget} s ends the run in repeat ${repeat} of ${repeats}.`)
        return done
      }
      const measured = await measurePair(both, { rooms, bytes, inFlight, share })
      longest = Math.max(longest, performance.now() - begun)
      if (done.length === 0) console.log(`  ours:  ${measured.settings.ours}\n  stock: ${measured.settings.stock}\n`)
      done.push(measured)
      console.log(`  ${repeat}/${repeats} K=${String(inFlight).padEnd(3)} ${line(measured)}`)
    }
  return done
}

/** @param {ReturnType<typeof pinnedCores>} cores */
function introduce(cores) {
  if (inFlights.some((inFlight) => !(inFlight <= rooms)))
    throw new Error('K is a number of rooms: it cannot exceed --rooms.')
  const where = cores
    ? `servers on core ${cores.server}, generators on core ${cores.generator}`
    : 'NOT pinned to cores (no taskset)'
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${where}`
  console.log('Durable fan-out on one node beside stock Socket.IO without durability')
  console.log(`  node ${process.version}, ${process.platform} ${release()}, ${machine}`)
  const load = `${rooms} rooms of 3, ${rooms * 3} connections a side, text of ${bytes} B`
  console.log(`  ${load}, ${repeats} repeats of at most ${WINDOW_SECONDS} s`)
}

const folder = workFolder()
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.once(signal, () => {
    for (const child of children) child.kill()
    rmSync(folder, { recursive: true, force: true })
    process.exit(130)
  })

try {
  const cores = pinnedCores()
  introduce(cores)
  const done = await measureAll(sides(folder, cores))
  console.log(`\n${table(done)}\n`)
  console.log(`Figures are medians over all slices. Payloads, ours and stock: ${sizes(done)}.`)
  console.log(`${((performance.now() - started) / 1000).toFixed(0)} s in all.`)
  if (isVoid(done)) {
    console.log('VOID: something was lost, doubled, misordered, astray or refused.')
    process.exitCode = 1
  }
} catch (error) {
  console.log(`VOID: the run broke off. ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
