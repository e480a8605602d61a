// What one turn of the event loop writes to a connection: the first frame at once, the others by one call.
import { gather, WRITTEN_IN, type Corkable, type Paced } from '../../../src/dialects/customer-channel/turn'

class Pipe implements Paced, Corkable {
  [WRITTEN_IN]: number | undefined
  readonly calls: string[] = []
  #held: string[] | null = null
  cork(): void {
    this.#held = []
  }
  uncork(): void {
    this.calls.push((this.#held ?? []).join(' '))
    this.#held = null
  }
  write(text: string): void {
    gather(this, this)
    if (this.#held) this.#held.push(text)
    else this.calls.push(text)
  }
}
const turn = () => new Promise(setImmediate)

it('the only frame of a turn goes out at once, turn after turn', async () => {
  const pipe = new Pipe()
  for (const text of ['a', 'b']) {
    pipe.write(text)
    expect(pipe.calls.at(-1)).toBe(text)
    await turn()
  }
  expect(pipe.calls).toEqual(['a', 'b'])
})
it('the frames behind it go out together, in their order, when the turn ends', async () => {
  const [busy, calm] = [new Pipe(), new Pipe()]
  for (const text of ['a', 'b', 'c', 'd']) busy.write(text)
  calm.write('x')
  expect([busy.calls, calm.calls]).toEqual([['a'], ['x']])
  await turn()
  expect([busy.calls, calm.calls]).toEqual([['a', 'b c d'], ['x']])
  busy.write('e')
  expect(busy.calls.at(-1)).toBe('e')
  await turn()
})
