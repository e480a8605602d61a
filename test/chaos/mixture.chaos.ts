// A random mixture of faults for as long as is asked, in episodes: after each everything must go on, and the checker finds nothing.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chanceOf, type Chance } from '../malformed/chance'
import { Rooms } from '../reliability/rooms'
import { Cluster } from '../support/cluster'
import { pickFault, type Fault } from './faults'

const MINUTES = Number(process.env['CHAOS_MINUTES'] ?? 10)
const EPISODE_MS = 45_000
const ROOMS = 4
/** Milliseconds that a fault lasts at most, and that everybody is left alone at most. */
const LONGEST_FAULT = 5_000
const LONGEST_REST = 2_000
const GOES_ON_WITHIN = 60_000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** One fault or two that may meet, for a while. */
async function strike(cluster: Cluster, chance: Chance, tell: (what: string) => void): Promise<void> {
  const first = pickFault(cluster, chance)
  const second = chance.oneIn(3) ? pickFault(cluster, chance) : null
  const faults: Fault[] = second && second.kind !== first.kind ? [first, second] : [first]
  const [lasts, rests] = [chance.below(LONGEST_FAULT), chance.below(LONGEST_REST)]
  tell(`${faults.map(({ name }) => name).join(', while ')} for ${lasts} ms`)
  for (const fault of faults) await fault.begin()
  await pause(lasts)
  // The second ends first: a node that was killed cannot start before Postgres is back.
  for (const fault of faults.sort((a, b) => Number(a.kind === 'node') - Number(b.kind === 'node'))) await fault.end()
  await pause(rests)
}

/** The history and the logs, for whoever has to find out. */
async function keep(cluster: Cluster, rooms: Rooms, told: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-chaos-'))
  await rooms.history.save(join(folder, 'history.jsonl'))
  await writeFile(join(folder, 'faults.txt'), told.join('\n'))
  for (const [i, { process }] of cluster.nodes.entries())
    await writeFile(join(folder, `node-${i + 1}.log`), process.output)
  return folder
}

it(
  `${MINUTES} minutes of a random mixture of faults lose, double and misplace nothing`,
  async () => {
    const cluster = await Cluster.start()
    const end = performance.now() + MINUTES * 60_000
    try {
      for (let episode = 0; performance.now() < end; episode++) {
        const told: string[] = []
        const rooms = await Rooms.open(cluster.doors, ROOMS)
        try {
          const chance = chanceOf(3, episode)
          rooms.speak()
          const until = Math.min(end, performance.now() + EPISODE_MS)
          while (performance.now() < until) await strike(cluster, chance, (what) => told.push(what))
          await rooms.goesOn(GOES_ON_WITHIN)
          await rooms.hush(GOES_ON_WITHIN)
          await cluster.isWell(GOES_ON_WITHIN)
          const { findings, line } = await rooms.check()
          process.stdout.write(`episode ${episode + 1}, ${told.length} faults: ${line}\n`)
          expect(findings).toEqual([])
        } catch (cause) {
          const folder = await keep(cluster, rooms, told)
          throw new Error(`Episode ${episode + 1} found something. Its history is in ${folder}.`, { cause })
        } finally {
          rooms.close()
        }
      }
    } finally {
      await cluster.close()
    }
  },
  (MINUTES + 5) * 60_000,
)
