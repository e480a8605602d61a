// The gateway's own process, as the kernel ranks its threads.
import { execFileSync } from 'node:child_process'
import { getPriority } from 'node:os'
import { join } from 'node:path'

const GO_FIRST = join(__dirname, '../../dist/src/aside/go-first.js')

it('puts the helpers of V8 behind the thread that chats go through, and those that it starts beside it', () => {
  const code = `
    const { readdirSync, readFileSync, stat } = require('node:fs')
    const { Worker } = require('node:worker_threads')
    const niceOf = (thread) => Number(readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').replace(/^.*\\) /s, '').split(' ')[16])
    const threads = () => readdirSync('/proc/self/task').map(Number)
    require(${JSON.stringify(GO_FIRST)})
    const helpers = threads().filter((thread) => thread !== process.pid)
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(0)', { eval: true })
    worker.once('message', () =>
      stat('/', () => {
        const started = threads().filter((thread) => thread !== process.pid && !helpers.includes(thread))
        console.log(JSON.stringify({ main: niceOf(process.pid), helpers: helpers.map(niceOf), started: started.map(niceOf) }))
      }))`
  const said = execFileSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  const { main, helpers, started } = JSON.parse(said) as { main: number; helpers: number[]; started: number[] }
  const own = getPriority()
  expect(main).toBe(own)
  expect(helpers.length).toBeGreaterThan(1)
  expect(new Set(helpers)).toEqual(new Set([Math.min(own + 5, 19)]))
  // The database's thread is one of those, and so are those that write files.
  expect(started.length).toBeGreaterThan(1)
  expect(new Set(started)).toEqual(new Set([own]))
})
