// Processes beside the gateway: one stays for the next work, and leaves when none comes.
import { join } from 'node:path'
import { SidePool } from '../../src/aside/side-pool'
import { eventually } from '../support/eventually'
import { processesOf } from '../support/processes'

const program = { file: join(__dirname, '../../src/files/darkroom-main'), memoryMb: 64 }
const running = () => processesOf(process.pid, 'darkroom-main.js')

it('hands out the one that is idle, and another while none is', async () => {
  const pool = new SidePool(program)
  const first = pool.take()
  expect(pool.take()).not.toBe(first)
  pool.keep(first)
  expect(pool.take()).toBe(first)
  await pool.close()
  expect(running()).toEqual([])
})
it('lets one go that has been idle for as long as it may', async () => {
  const pool = new SidePool(program, { idleMs: 50 })
  pool.keep(pool.take())
  expect(running()).toHaveLength(1)
  await eventually(() => running().length === 0)
  await pool.close()
})
it('has none that lives after it was closed', async () => {
  const pool = new SidePool(program)
  const taken = pool.take()
  await pool.close()
  pool.keep(taken)
  const late = pool.take()
  await late.kill()
  expect(running()).toEqual([])
})
