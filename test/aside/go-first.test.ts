// The gateway's own process, as the kernel ranks its threads.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { statOf } from '../support/processes'

const GO_FIRST = join(__dirname, '../../dist/src/aside/go-first.js')
/** Says which threads there are before it has done anything, and which after; then it waits. */
const PROGRAM = `
  const { readdirSync, stat } = require('node:fs')
  const { Worker } = require('node:worker_threads')
  const others = () => readdirSync('/proc/self/task').map(Number).filter((thread) => thread !== process.pid)
  require(${JSON.stringify(GO_FIRST)})
  const helpers = others()
  const worker = new Worker('require("node:worker_threads").parentPort.on("message", () => {}).postMessage(0)', { eval: true })
  worker.once('message', () =>
    stat('/', () => process.send({ helpers, started: others().filter((thread) => !helpers.includes(thread)) })))`

it('puts the helpers of V8 behind the thread that chats go through, and behind those that it starts beside it', async () => {
  const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    const [{ helpers, started }] = (await once(child, 'message')) as [{ helpers: number[]; started: number[] }]
    const ranks = (threads: number[]) =>
      new Set(threads.map((thread) => statOf(child.pid!, `task/${thread}/stat`).nice))
    const own = getPriority()
    expect(ranks([child.pid!])).toEqual(new Set([own]))
    expect(helpers.length).toBeGreaterThan(1)
    expect(ranks(helpers)).toEqual(new Set([Math.min(own + 5, 19)]))
    // The database's thread is one of those, and so are those that write files.
    expect(started.length).toBeGreaterThan(1)
    expect(ranks(started)).toEqual(new Set([own]))
  } finally {
    child.kill('SIGKILL')
  }
})
