// How frames leave a connection: past Node's stream while that is idle, in their order whatever it does, and never unnoticed.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Outlet } from '../../../src/dialects/customer-channel/outlet'
import { newFolder, removeFolder } from '../../support/gateway'
import { eventually } from '../../support/eventually'

let server: Server
let folder: string
beforeEach(async () => {
  server = createServer()
  folder = await newFolder()
})
afterEach(async () => {
  server.close()
  await removeFolder(folder)
})

/** The two ends of a connection; `near` is the server's. */
async function connected(path?: string): Promise<{ near: Socket; far: Socket; outlet: Outlet }> {
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  const address = server.address()
  const far = typeof address === 'string' ? connect(address) : connect(address!.port, '127.0.0.1')
  const [near] = (await once(server, 'connection')) as [Socket]
  near.on('error', () => undefined)
  far.on('error', () => undefined)
  return { near, far, outlet: new Outlet(near) }
}
const turn = () => new Promise(setImmediate)
const frame = (number: number, size: number) => Buffer.alloc(size, `${number}.`)

it('a lone frame goes past the stream, turn after turn', async () => {
  const { near, far, outlet } = await connected()
  const written = jest.spyOn(near, 'write')
  for (const text of ['one ', 'two']) {
    outlet.write(Buffer.from(text))
    await turn()
  }
  near.end()
  expect(await textOf(far)).toBe('one two')
  expect(written).not.toHaveBeenCalled()
})

it('what both write to a reader that stops and goes on arrives once and in order', async () => {
  const { near, far, outlet } = await connected()
  const all: Buffer[] = []
  const put = (write: (data: Buffer) => unknown, size: number) => {
    all.push(frame(all.length, size))
    write(all.at(-1)!)
  }
  // Until the system takes no more, and beyond.
  while (outlet.waiting === 0) {
    put((data) => outlet.write(data), 100_003)
    await turn()
  }
  expect(outlet.waiting).toBeGreaterThan(0)
  for (let round = 0; round < 5; round++) {
    put((data) => outlet.write(data), 10_007)
    put((data) => near.write(data), 5_003)
    put((data) => outlet.write(data), 307)
    await turn()
  }
  const reading = bytesOf(far)
  await eventually(() => outlet.waiting === 0)
  put((data) => outlet.write(data), 1_009)
  put((data) => near.write(data), 1_013)
  near.end()
  expect((await reading).equals(Buffer.concat(all))).toBe(true)
})

it('a connection that is gone is destroyed, by a write that fails at once or later', async () => {
  for (const stuck of [false, true]) {
    const { near, far, outlet } = await connected()
    while (stuck && outlet.waiting === 0) {
      outlet.write(frame(0, 100_003))
      await turn()
    }
    far.resetAndDestroy()
    await eventually(async () => {
      outlet.write(frame(1, 100))
      await turn()
      return near.destroyed
    })
    outlet.write(frame(2, 100))
    server.close()
    await once(server, 'close')
    server = createServer()
  }
})

it('a connection that is not of TCP is written to by its stream', async () => {
  const { near, far, outlet } = await connected(join(folder, 'socket'))
  const written = jest.spyOn(near, 'write')
  outlet.write(Buffer.from('hello'))
  near.end()
  expect(await textOf(far)).toBe('hello')
  expect(written).toHaveBeenCalledTimes(1)
})

it('a Node that does not show its own parts writes by the stream', async () => {
  const { binding } = process as unknown as { binding: unknown }
  Object.assign(process, { binding: undefined })
  try {
    jest.resetModules()
    const isolated = jest.requireActual<{ Outlet: typeof Outlet }>('../../../src/dialects/customer-channel/outlet')
    const { near, far } = await connected()
    const written = jest.spyOn(near, 'write')
    new isolated.Outlet(near).write(Buffer.from('hello'))
    near.end()
    expect(await textOf(far)).toBe('hello')
    expect(written).toHaveBeenCalledTimes(1)
  } finally {
    Object.assign(process, { binding })
  }
})

async function bytesOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'close')
  return Buffer.concat(chunks)
}
const textOf = async (socket: Socket): Promise<string> => (await bytesOf(socket)).toString()
