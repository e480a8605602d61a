// Arriving bytes keep a pace: chats have their turn between any two pieces, and files end one after another.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { receiveFile } from '../../src/files/multipart'
import { Pace } from '../../src/files/pace'

const PIECE = 64 * 1024
let pace: Pace
beforeEach(() => (pace = new Pace({ isTalk: () => false })))

/** Takes all that comes through, and notes who it is each time. */
function arriving(name: string, pieces: number, notes: string[]): Promise<unknown> {
  const paced = pace.through()
  paced.on('data', () => notes.push(name))
  Readable.from(Array.from({ length: pieces }, () => Buffer.alloc(PIECE))).pipe(paced)
  return once(paced, 'end')
}

it('gives the bytes back as they came', async () => {
  const bytes = randomBytes(10 * PIECE + 7)
  const pieces = Array.from({ length: 11 }, (_, i) => bytes.subarray(i * PIECE, (i + 1) * PIECE))
  expect((await buffer(Readable.from(pieces).pipe(pace.through()))).equals(bytes)).toBe(true)
})
it('lets the file that began first end first, however many arrive', async () => {
  const notes: string[] = []
  await Promise.all(['a', 'b', 'c'].map((name) => arriving(name, 5, notes)))
  expect(notes.join('')).toBe('aaaaabbbbbccccc')
})
it('waits for nobody: while the first file is late, others go on', async () => {
  const notes: string[] = []
  const late = pace.through()
  late.on('data', () => notes.push('late'))
  await arriving('other', 2, notes)
  late.end(Buffer.alloc(1))
  await once(late, 'end')
  expect(notes).toEqual(['other', 'other', 'late'])
})
it('lets one piece through in a turn of the event loop', async () => {
  const notes: string[] = []
  let isOver = false
  const turn = () => {
    notes.push('turn')
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await Promise.all(['a', 'b'].map((name) => arriving(name, 8, notes)))
  isOver = true
  expect(notes.filter((note) => note !== 'turn')).toHaveLength(16)
  expect(notes.join(' ')).not.toMatch(/[ab] [ab]/)
})

describe('while people talk', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] }))
  afterEach(() => jest.useRealTimers())

  /** Megabytes that a second lets through, the turns of the event loop in it counted. */
  async function inASecond(isTalk: boolean): Promise<number> {
    let came = 0
    const paced = new Pace({ isTalk: () => isTalk }).through()
    paced.on('data', (piece: Buffer) => (came += piece.length))
    Readable.from(Array.from({ length: 1_000 }, () => Buffer.alloc(PIECE))).pipe(paced)
    await jest.advanceTimersByTimeAsync(1_000)
    return came / 1024 ** 2
  }
  it('lets less than a fifth through of what comes through when nobody does', async () => {
    expect((await inASecond(false)) / (await inASecond(true))).toBeGreaterThan(5)
    expect(await inASecond(true)).toBeCloseTo(6, 0)
  })
  it('is full while as much comes as may, and not of a sender who trickles', async () => {
    const busy = new Pace({ isTalk: () => true })
    const paced = busy.through().resume()
    paced.write(Buffer.alloc(1))
    await jest.advanceTimersByTimeAsync(1)
    expect(busy.isFull).toBe(false)
    paced.write(Buffer.alloc(PIECE))
    await jest.advanceTimersByTimeAsync(1)
    expect(busy.isFull).toBe(true)
    await jest.advanceTimersByTimeAsync(1_000)
    expect(busy.isFull).toBe(false)
  })
  it('blames no sender for what waits here, all of whose form has come', async () => {
    const busy = new Pace({ isTalk: () => true })
    // More than comes through meanwhile.
    const older = Readable.from(Array.from({ length: 2_000 }, () => Buffer.alloc(PIECE)))
    older.pipe(busy.through()).resume()
    const form = '--zz\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--zz--\r\n'
    const request = {
      stream: Readable.from([Buffer.from(form)]),
      headers: { 'content-type': 'multipart/form-data; boundary=zz' },
    }
    const limits = { maxBytes: 1_000, totalMs: 120_000, idleMs: 1_000, pace: busy }
    const receiving = receiveFile(request, limits, ({ bytes }) => buffer(bytes))
    receiving.catch(() => undefined) // looked at below
    await jest.advanceTimersByTimeAsync(5_000)
    older.destroy()
    await jest.advanceTimersByTimeAsync(1_000)
    expect(String(await receiving)).toBe('hello')
  })
})
