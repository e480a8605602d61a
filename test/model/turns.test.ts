// Turns: few at a time, in the order in which they came, and nobody waits for ever.
import { Overdue, Turns } from '../../src/model/turns'

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

/** Waits for its turn, and notes what became of it. */
function comer(turns: Turns, name: string, notes: string[], signal?: AbortSignal): void {
  turns.next(signal).then(
    () => notes.push(name),
    (cause: unknown) => notes.push(`${name} ${cause instanceof Overdue ? 'is late' : String(cause)}`),
  )
}
const settled = () => jest.advanceTimersByTimeAsync(0)

it('come in the order of who asked', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2 })
  const notes: string[] = []
  for (const name of ['a', 'b', 'c']) comer(turns, name, notes)
  await settled()
  expect([notes, turns.full]).toEqual([['a'], true])
  turns.done()
  turns.done()
  await settled()
  expect([notes, turns.full]).toEqual([['a', 'b', 'c'], false])
})
it('are given up after the time that one may wait, and not a millisecond before; whoever comes then is next', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 1, waitMs: 1_000 })
  const notes: string[] = []
  comer(turns, 'a', notes)
  comer(turns, 'b', notes)
  await jest.advanceTimersByTimeAsync(999)
  expect(notes).toEqual(['a'])
  await jest.advanceTimersByTimeAsync(1)
  expect([notes, turns.full]).toEqual([['a', 'b is late'], false])
  comer(turns, 'c', notes)
  turns.done()
  await settled()
  expect(notes).toEqual(['a', 'b is late', 'c'])
})
it('that have begun, or were given up, leave no timer behind', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 2, waitMs: 1_000 })
  const notes: string[] = []
  const gone = new AbortController()
  comer(turns, 'a', notes)
  comer(turns, 'b', notes)
  comer(turns, 'c', notes, gone.signal)
  gone.abort(new Error('has left'))
  turns.done()
  await settled()
  expect(notes).toEqual(['a', 'c Error: has left', 'b'])
  expect(jest.getTimerCount()).toBe(0)
})
