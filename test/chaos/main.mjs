// @ts-check
// Finds what no single fault shows: a random mixture of them against three nodes under load, or the rows in their long versions.
//
//   npm run chaos                               ten minutes of the mixture
//   npm run chaos -- --minutes=30 --seed=7      for so long, with the schedule of that seed
//   npm run chaos -- --rows                     every row of test/reliability, long: more kills, longer outages, 10 000 sockets
//
// The seed is printed; the same seed gives the same faults in the same order with the same pauses. What the gateways do
// meanwhile is theirs, so that a run is not repeated to the millisecond. Anything that is found ends the run with code 1,
// and names the folder that holds the history of every message and the logs of the nodes.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    rows: { type: 'boolean', default: false },
  },
})
const [minutes, seed] = [Number(options.minutes), Number(options.seed)]
if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error('--minutes and --seed are numbers.')

const root = fileURLToPath(new URL('../..', import.meta.url))
const what = options.rows ? ['test/reliability', '--testTimeout=600000'] : ['--config', 'test/chaos/jest.config.js']
console.log(`seed ${seed}: repeat it with --seed=${seed}`)
const jest = spawn(process.execPath, ['node_modules/jest/bin/jest.js', '--runInBand', ...what], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    FUZZ_SEED: String(seed),
    CHAOS_MINUTES: String(minutes),
    ...(options.rows && { CHAOS: 'long' }),
  },
})
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => jest.kill(signal))
jest.once('exit', (code) => process.exit(code ?? 1))
