// Whoever closes waits for what has begun, however it ends.
import { Underway } from '../../src/files/underway'

it('hands on what the work answers, and what it throws', async () => {
  const underway = new Underway()
  expect(await underway.add(Promise.resolve(7))).toBe(7)
  await expect(underway.add(Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
it('has ended when all that began has, also what failed', async () => {
  const underway = new Underway()
  const notes: string[] = []
  let succeed = () => {}
  let fail = () => {}
  const good = underway.add(new Promise<void>((resolve) => (succeed = resolve)))
  const bad = underway.add(new Promise<void>((_, reject) => (fail = () => reject(new Error('broken')))))
  const ended = underway.ended().then(() => notes.push('ended'))
  succeed()
  await good
  notes.push('one')
  fail()
  await expect(bad).rejects.toThrow('broken')
  await ended
  expect(notes).toEqual(['one', 'ended'])
})
it('has ended at once when nothing is under way', async () => {
  const underway = new Underway()
  await underway.add(Promise.resolve())
  await underway.ended()
})
