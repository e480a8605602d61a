// Arriving bytes keep a pace: chats have their turn between any two pieces, and files end one after another.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Paced } from '../../src/files/pace'

const PIECE = 64 * 1024
/** Takes all that comes through, and notes who it is each time. */
function arriving(name: string, pieces: number, notes: string[]): Promise<unknown> {
  const paced = new Paced()
  paced.on('data', () => notes.push(name))
  Readable.from(Array.from({ length: pieces }, () => Buffer.alloc(PIECE))).pipe(paced)
  return once(paced, 'end')
}

it('gives the bytes back as they came', async () => {
  const bytes = randomBytes(10 * PIECE + 7)
  const pieces = Array.from({ length: 11 }, (_, i) => bytes.subarray(i * PIECE, (i + 1) * PIECE))
  expect((await buffer(Readable.from(pieces).pipe(new Paced()))).equals(bytes)).toBe(true)
})
it('lets the file that began first end first, however many arrive', async () => {
  const notes: string[] = []
  await Promise.all(['a', 'b', 'c'].map((name) => arriving(name, 5, notes)))
  expect(notes.join('')).toBe('aaaaabbbbbccccc')
})
it('waits for nobody: while the first file is late, others go on', async () => {
  const notes: string[] = []
  const late = new Paced()
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
